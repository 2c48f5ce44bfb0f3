// When the collector's run is over, and what it leaves behind.
#include <utility>

#include "collector/collector.h"

namespace fetchline {

std::optional<RunEnd> Collector::ended(Instant now) const {
  if (auto end = ended_by_next_stage()) return end;
  if (core_.over(now) && (!next_ || next_standing_.over)) {
    return RunEnd{.counts = core_.counts(), .was_done_before = log_.finished.has_value()};
  }
  if (core_.done() && core_.over(now) && draining_since_) {
    return RunEnd{.kind = RunEnd::Kind::interrupted,
                  .why = "stopped before the next stage was done"};
  }
  if (core_.done()) return std::nullopt;
  if (producer_watch_.timed_out(now)) {
    return RunEnd{.kind = RunEnd::Kind::no_peer, .why = producer_watch_.whom() + " did not come"};
  }
  if (!draining_since_) return std::nullopt;
  const bool all_safe = !log_.journal || (!core_.has_unsaved() && saving_.empty() &&
                                          core_.written() == core_.watermark());
  const bool all_out = !core_.has_next() && log_.sink->blocked_fd() < 0 && core_.drained(now);
  if (!(all_out && all_safe) && now - *draining_since_ < options_.drain_timeout)
    return std::nullopt;
  return stopped("stopped before the end of the job");
}

RunEnd Collector::stopped(const std::string& why) const {
  return {.kind = RunEnd::Kind::interrupted,
          .why = why + (log_.journal ? "; --resume goes on with it" : "")};
}

std::optional<RunEnd> Collector::ended_by_next_stage() const {
  if (next_standing_.other_job) {
    return RunEnd{.kind = RunEnd::Kind::other_input,
                  .why = "--next: " + next_->whom() + " takes the lines of job " +
                         to_string(*next_standing_.other_job) + ", and this is job " +
                         to_string(core_.job())};
  }
  if (next_standing_.timed_out) {
    return RunEnd{.kind = RunEnd::Kind::no_peer, .why = next_->whom() + " did not come"};
  }
  return std::nullopt;
}

// Nobody came: what was made for them must not be in the way of the next attempt.
RunEnd Collector::leave(RunEnd end) {
  const bool in_vain = end.kind == RunEnd::Kind::no_peer && core_.job().is_none();
  if (in_vain && log_.journal && !options_.resume) log_.discard_if_empty(options_.output);
  return end;
}

// A body's file is in the way before anything is out: what was made for this job must not be in the
// way of the next attempt too.
void Collector::discard_if_refused(const OutputError& error) {
  const bool may_go = log_.journal && !options_.resume && !options_.overwrite;
  if (error.error == EEXIST && may_go) log_.discard_if_empty(options_.output);
}

}  // namespace fetchline
