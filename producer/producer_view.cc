#include "producer/producer_view.h"

#include <spdlog/fmt/fmt.h>

namespace fetchline {
namespace {

Json head_object(const ProducerStatus::Head& head) {
  Json object{{"index", head.index}, {"state", head.place}, {"url", head.url}};
  object["worker"] = head.worker.empty() ? Json() : Json(head.worker);
  object["attempt"] = head.attempt;
  object["age_seconds"] = in_seconds(head.age);
  object["retry_in_seconds"] = head.due ? Json(in_seconds(*head.due)) : Json();
  return object;
}

Json workers_array(const ProducerStatus& status) {
  Json array = Json::array();
  for (const auto& worker : status.workers) {
    array.push_back({{"name", worker.name},
                     {"held", worker.held},
                     {"slots", worker.slots},
                     {"draining", worker.draining},
                     {"silent_seconds", in_seconds(worker.silent)}});
  }
  return array;
}

Json hosts_array(const ProducerStatus& status) {
  Json array = Json::array();
  for (const auto& host : status.hosts) {
    array.push_back({{"host", host.name}, {"in_flight", host.in_flight}});
  }
  return array;
}

Json stage_before_object(const ProducerStatus::StageBefore& before) {
  Json object{{"lines", before.lines}, {"bytes", before.bytes}, {"refused", before.refused}};
  object["total"] = before.total ? Json(*before.total) : Json();
  return object;
}

void add_metrics(const ProducerStatus& status, std::optional<double> work_left, Metrics& metrics) {
  metrics.counter("fetchline_producer_tasks_read_total", "Tasks read from the input.",
                  status.tasks_read);
  metrics.counter("fetchline_producer_tasks_finished_total", "Tasks whose record is out.",
                  status.finished);
  metrics.counter("fetchline_producer_tasks_begun_total",
                  "Tasks that were ever handed to a worker.", status.begun);
  metrics.counter("fetchline_producer_second_leases_total",
                  "Tasks handed to a second worker while one had them.", status.second_leases);
  metrics.counter("fetchline_producer_workers_lost_total", "Workers that fell silent.",
                  status.workers_lost);
  metrics.counter("fetchline_producer_dropped_messages_total", "Messages that made no sense.",
                  status.dropped_messages);
  metrics.counter("fetchline_producer_refused_connections_total",
                  "Attempts to connect that were refused: no key, or none of a peer.",
                  status.refused_connections);
  if (status.stage_before) {
    metrics.counter("fetchline_producer_stage_before_lines_total",
                    "Lines that came from the stage before.", status.stage_before->lines);
    metrics.counter("fetchline_producer_stage_before_bytes_total", "Of them.",
                    status.stage_before->bytes);
  }
  if (status.tasks_expected) {
    metrics.gauge("fetchline_producer_tasks_expected",
                  "Tasks in the whole input, about; absent while it is a stream.",
                  *status.tasks_expected);
  }
  metrics.gauge("fetchline_producer_input_ended", "1 when the whole input is read.",
                status.input_ended);
  metrics.gauge("fetchline_producer_tasks_in_flight", "Tasks at workers.", status.in_flight);
  metrics.gauge("fetchline_producer_tasks_unsent", "Tasks read and never handed out.",
                status.unsent);
  metrics.gauge("fetchline_producer_tasks_waiting_for_retry", "Tasks that are tried again later.",
                status.waiting_for_retry);
  metrics.gauge("fetchline_producer_workers", "Workers that are there.", status.worker_count);
  metrics.gauge("fetchline_producer_head_age_seconds",
                "For how long its worker has the oldest task that is not out.",
                status.head ? in_seconds(status.head->age) : 0);
  if (work_left) {
    metrics.gauge("fetchline_producer_work_left_seconds",
                  "What is expected and not out, at the present rate; absent when nobody knows.",
                  *work_left);
  }
}

}  // namespace

std::string why_slow(const ProducerStatus& status) {
  if (status.phase == "done") return "";
  if (!status.missing.empty()) return "waiting for " + status.missing.front();
  if (status.phase == "comparing") return "comparing the input with that of before";
  if (status.stopping) return "stopping: what workers have is finished, the rest is not begun";
  if (!status.head && status.stage_before && !status.input_ended) {
    return "waiting for lines of the stage before";
  }
  if (!status.head) return status.input_ended ? "" : "waiting for input";
  const ProducerStatus::Head& head = *status.head;
  const std::string task =
      fmt::format("task {} ({}, attempt {})", head.index, head.url, head.attempt);
  if (head.place == "running") {
    return fmt::format("{} runs at {} for {:.1f} s", task, head.worker, in_seconds(head.age));
  }
  if (head.place == "waiting") {
    return fmt::format("{} is tried again in {:.1f} s", task,
                       in_seconds(head.due.value_or(std::chrono::milliseconds(0))));
  }
  if (head.place == "delivered" && head.url.empty()) {
    return fmt::format("task {} waits to be put out", head.index);
  }
  if (head.place == "delivered") return task + " is on its way to the collector";
  if (head.place == "suspect") return task + " waits for a worker of its own";
  if (head.place == "doubtful") {
    return task + " may have been sent by an earlier run: waiting for a worker that has it";
  }
  if (status.dispatch_limit && head.index >= *status.dispatch_limit) {
    return task + " waits until the collector wants it: its disk or who reads its output holds it";
  }
  return task + " waits for a free worker";
}

std::optional<double> work_left_seconds(const ProducerStatus& status,
                                        const ProgressMoment& progress) {
  const std::uint64_t tasks = status.tasks_expected.value_or(status.tasks_read);
  if (tasks <= status.finished) return 0;
  double per_second = progress.per_second;
  if (per_second <= 0 && progress.elapsed.count() > 0) {
    per_second = static_cast<double>(progress.sample.done) / in_seconds(progress.elapsed);
  }
  if (per_second <= 0) return std::nullopt;
  return static_cast<double>(tasks - status.finished) / per_second;
}

void show(const ProducerStatus& status, Observation& seen) {
  const std::optional<double> work_left = work_left_seconds(status, seen.progress);
  Json object{{"phase", status.phase},
              {"job", to_string(status.job)},
              {"epoch", static_cast<std::uint32_t>(status.epoch)},
              {"why_slow", why_slow(status)}};
  object["head"] = status.head ? head_object(*status.head) : Json();
  object["tasks_read"] = status.tasks_read;
  object["tasks_expected"] = status.tasks_expected ? Json(*status.tasks_expected) : Json();
  object["input_ended"] = status.input_ended;
  object["finished"] = status.finished;
  object["unsent"] = status.unsent;
  object["in_flight"] = status.in_flight;
  object["waiting_for_retry"] = status.waiting_for_retry;
  object["suspects"] = status.suspects;
  object["begun"] = status.begun;
  object["second_leases"] = status.second_leases;
  object["dispatch_limit"] = status.dispatch_limit ? Json(*status.dispatch_limit) : Json();
  object["work_left_seconds"] = work_left ? Json(*work_left) : Json();
  object["worker_count"] = status.worker_count;
  object["workers_lost"] = status.workers_lost;
  object["workers"] = workers_array(status);
  object["hosts"] = hosts_array(status);
  if (status.stage_before) object["stage_before"] = stage_before_object(*status.stage_before);
  object["dropped_messages"] = status.dropped_messages;
  object["refused_connections"] = status.refused_connections;
  seen.roles["producer"] = std::move(object);
  seen.missing.insert(seen.missing.end(), status.missing.begin(), status.missing.end());
  add_metrics(status, work_left, seen.metrics);
}

}  // namespace fetchline
