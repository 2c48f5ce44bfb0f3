#include "worker/worker_view.h"

namespace fetchline {
namespace {

void add_metrics(const WorkerStatus& status, Metrics& metrics) {
  for (std::size_t i = 0; i < status.outcomes.size(); ++i) {
    metrics.counter("fetchline_worker_transfers_total", "Transfers that ended, retries too.",
                    status.outcomes[i],
                    {{"outcome", std::string(to_string(static_cast<Outcome>(i)))}});
  }
  std::vector<double> bounds;
  for (const auto bound : Durations::kBounds) bounds.push_back(in_seconds(bound));
  metrics.histogram("fetchline_worker_transfer_duration_seconds", "How long transfers took.",
                    bounds, status.durations.counts, in_seconds(status.durations.sum));
  metrics.counter("fetchline_worker_received_bytes_total", "Bytes of bodies, as they were sent.",
                  status.received_bytes);
  metrics.counter("fetchline_worker_dropped_messages_total", "Messages that made no sense.",
                  status.dropped_messages);
  metrics.gauge("fetchline_worker_transfers_running",
                "Slots taken: transfers, and commands of --emit exec: after theirs.",
                status.running);
  metrics.gauge("fetchline_worker_transfers_paused",
                "Of them, those that wait for memory for their bodies.", status.paused);
  if (status.commands) {
    metrics.gauge("fetchline_worker_commands_running", "Commands of --emit exec: now.",
                  status.commands->running);
    metrics.gauge("fetchline_worker_oldest_command_age_seconds",
                  "For how long the oldest of them has run.", in_seconds(status.commands->oldest));
  }
  metrics.gauge("fetchline_worker_slots", "Transfers at once, as --concurrency says.",
                status.slots);
  metrics.gauge("fetchline_worker_tasks_queued", "Tasks that wait for a slot.", status.queued);
  metrics.gauge("fetchline_worker_held_bytes",
                "Of results that the collector has not acknowledged.", status.held_bytes);
}

}  // namespace

void show(const WorkerStatus& status, Observation& seen) {
  Json outcomes = Json::object();
  for (std::size_t i = 0; i < status.outcomes.size(); ++i) {
    const auto outcome = std::string(to_string(static_cast<Outcome>(i)));
    if (status.outcomes[i] > 0) outcomes[outcome] = status.outcomes[i];
  }
  seen.roles["worker"] = {{"name", status.name},
                          {"slots", status.slots},
                          {"running", status.running},
                          {"paused", status.paused},
                          {"queued", status.queued},
                          {"held_bytes", status.held_bytes},
                          {"draining", status.draining},
                          {"transfers", std::move(outcomes)},
                          {"received_bytes", status.received_bytes},
                          {"dropped_messages", status.dropped_messages}};
  if (status.commands) {
    seen.roles["worker"]["commands"] = {
        {"running", status.commands->running},
        {"oldest_age_seconds", in_seconds(status.commands->oldest)}};
  }
  seen.missing.insert(seen.missing.end(), status.missing.begin(), status.missing.end());
  add_metrics(status, seen.metrics);
}

}  // namespace fetchline
