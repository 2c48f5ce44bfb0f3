#include "collector/collector_view.h"

namespace fetchline {
namespace {

Json outcomes_object(const OutcomeCounts& counts) {
  Json object = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) object[std::string(to_string(static_cast<Outcome>(i)))] = counts[i];
  }
  return object;
}

Json next_stage_object(const CollectorStatus& status) {
  const CollectorStatus::NextStage& next = *status.next_stage;
  Json object{{"wanted_record", next.wanted_record},
              {"lines", next.lines},
              {"over", next.over},
              {"busy", next.is_busy}};
  object["total"] = next.total ? Json(*next.total) : Json();
  // Then no task is handed out for it.
  object["blocks"] = !next.over && status.records >= next.wanted_record + status.window;
  return object;
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
                  "Attempts to connect without a key.", status.refused_connections);
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
  }
  metrics.gauge("fetchline_collector_senders", "Workers that have sent results.", status.senders);
}

}  // namespace

void show(const CollectorStatus& status, Observation& seen) {
  Json object{{"phase", status.phase}, {"job", to_string(status.job)}, {"records", status.records}};
  object["total"] = status.total ? Json(*status.total) : Json();
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
