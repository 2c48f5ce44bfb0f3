// What the collector core tells whoever watches it.
#include "collector/collector_status.h"

#include "collector/collector_core.h"

namespace fetchline {

CollectorStatus CollectorCore::status(Instant now) const {
  CollectorStatus status;
  if (has_job()) status.phase = done_ ? "done" : complete() ? "complete" : "collecting";
  status.job = job();
  status.records = watermark();
  status.total = total();
  status.outcomes = counts_;
  if (head_since_ && !complete()) {
    status.head = {.index = head_, .age = now - *head_since_, .is_here = reorder_.has_next()};
  }
  status.waiting = reorder_.held();
  status.window_end = reorder_.end();
  status.window = reorder_.window();
  status.waiting_bytes = reorder_.held_bytes();
  status.memory_bytes = reorder_.memory_bytes();
  status.spill_bytes = reorder_.saved_bytes();
  status.spill_limit_bytes = reorder_.journal_limit_bytes();
  status.senders = senders_.size();
  status.dropped_messages = dropped_;
  return status;
}

}  // namespace fetchline
