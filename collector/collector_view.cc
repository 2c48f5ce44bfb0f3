#include "collector/collector_view.h"

#include <spdlog/fmt/fmt.h>

namespace fetchline {
namespace {

Json outcomes_object(const OutcomeCounts& counts) {
  Json object = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) object[std::string(to_string(static_cast<Outcome>(i)))] = counts[i];
  }
  return object;
}

// Then no task is handed out.
bool next_stage_blocks(const CollectorStatus& status) {
  const auto& next = status.next_stage;
  return next && !next->over && status.records >= next->wanted_record + status.window;
}

Json next_stage_object(const CollectorStatus& status) {
  const CollectorStatus::NextStage& next = *status.next_stage;
  Json object{{"wanted_record", next.wanted_record},
              {"lines", next.lines},
              {"over", next.over},
              {"busy", next.is_busy}};
  object["total"] = next.total ? Json(*next.total) : Json();
  object["blocks"] = next_stage_blocks(status);
  return object;
}

Json head_object(const CollectorStatus::Head& head) {
  return {{"index", head.index}, {"is_here", head.is_here}, {"age_seconds", in_seconds(head.age)}};
}

void add_metrics(const CollectorStatus& status, Metrics& metrics) {
  for (std::size_t i = 0; i < status.outcomes.size(); ++i) {
    metrics.counter("fetchline_collector_records_total", "Records put out.", status.outcomes[i],
                    {{"outcome", std::string(to_string(static_cast<Outcome>(i)))}});
  }
  metrics.counter("fetchline_collector_body_bytes_total", "Bytes of bodies put out.",
                  status.body_bytes);
  metrics.counter("fetchline_collector_dropped_messages_total", "Messages that made no sense.",
                  status.dropped_messages);
  metrics.counter("fetchline_collector_refused_connections_total",
                  "Attempts to connect that were refused: no key, or none of a peer.",
                  status.refused_connections);
  metrics.gauge("fetchline_collector_results_waiting", "Results that wait for their turn.",
                status.waiting);
  metrics.gauge("fetchline_collector_waiting_bytes", "Of them, in memory.", status.waiting_bytes);
  metrics.gauge("fetchline_collector_memory_limit_bytes",
                "Of them at most; three quarters of --memory.", status.memory_bytes);
  metrics.gauge("fetchline_collector_spill_bytes", "Of results that wait, in the journal.",
                status.spill_bytes);
  metrics.gauge("fetchline_collector_spill_limit_bytes", "As --spill-limit says.",
                status.spill_limit_bytes);
  metrics.gauge("fetchline_collector_journal_bytes", "The journal's files.", status.journal_bytes);
  metrics.gauge("fetchline_collector_disk_full", "1 while it waits for room on a disk.",
                status.disk_full);
  if (status.next_stage) {
    metrics.gauge("fetchline_collector_next_stage_wanted_record",
                  "Every record before it was taken by the next stage.",
                  status.next_stage->wanted_record);
    metrics.gauge("fetchline_collector_next_stage_lines", "Lines that the next stage has.",
                  status.next_stage->lines);
    metrics.gauge("fetchline_collector_next_stage_blocks",
                  "1 while no task is handed out because the next stage takes no lines.",
                  next_stage_blocks(status));
  }
  metrics.gauge("fetchline_collector_senders", "Workers that have sent results.", status.senders);
}

}  // namespace

std::string why_slow(const CollectorStatus& status) {
  if (status.phase == "done" && (!status.next_stage || status.next_stage->over)) return "";
  if (!status.missing.empty()) return "waiting for " + status.missing.front();
  if (status.disk_full) return "waiting for room on a disk";
  if (status.reader_slow) return "waiting for who reads the output";
  if (next_stage_blocks(status)) return "waiting until the next stage takes lines";
  if (!status.head) {
    const bool waits = status.next_stage && !status.next_stage->over && status.phase == "done";
    return waits ? "complete; waiting until the next stage has finished too" : "";
  }
  if (status.head->is_here) return fmt::format("task {} waits to be put out", status.head->index);
  return fmt::format("waiting for the result of task {} for {:.1f} s; {} wait behind it",
                     status.head->index, in_seconds(status.head->age), status.waiting);
}

void show(const CollectorStatus& status, Observation& seen) {
  Json object{{"phase", status.phase}, {"job", to_string(status.job)}, {"records", status.records}};
  object["total"] = status.total ? Json(*status.total) : Json();
  object["why_slow"] = why_slow(status);
  object["head"] = status.head ? head_object(*status.head) : Json();
  object["outcomes"] = outcomes_object(status.outcomes);
  object["body_bytes"] = status.body_bytes;
  object["waiting"] = status.waiting;
  object["window"] = {
      {"first", status.records}, {"end", status.window_end}, {"limit", status.window}};
  object["memory"] = {{"bytes", status.waiting_bytes}, {"limit_bytes", status.memory_bytes}};
  object["spill"] = {{"bytes", status.spill_bytes},
                     {"limit_bytes", status.spill_limit_bytes},
                     {"journal_bytes", status.journal_bytes}};
  object["disk_full"] = status.disk_full;
  object["reader_slow"] = status.reader_slow;
  if (status.next_stage) object["next_stage"] = next_stage_object(status);
  object["senders"] = status.senders;
  object["dropped_messages"] = status.dropped_messages;
  object["refused_connections"] = status.refused_connections;
  seen.roles["collector"] = std::move(object);
  seen.missing.insert(seen.missing.end(), status.missing.begin(), status.missing.end());
  add_metrics(status, seen.metrics);
}

}  // namespace fetchline
