// Whether somebody whom a role needs is there: when to say that it waits, when to give up. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "proto/instant.h"

namespace fetchline {

class PeerWatch {
 public:
  static constexpr std::chrono::seconds kFirstNotice{1};
  static constexpr std::chrono::seconds kNextNotice{30};
  static constexpr std::chrono::seconds kSilence{4};  // signs of life come every second

  // Who takes longer from one turn to the next was stopped itself, and nobody could be heard.
  static constexpr std::chrono::seconds kOwnGap{1};

  // `timeout` zero: wait for ever. Whom an inproc:// endpoint names lives in this process: there is
  // nothing to say of them that a user could mend.
  PeerWatch(std::string whom, Duration timeout, Instant now)
      : whom_(std::move(whom)),
        is_told_(whom_.find("inproc://") == std::string::npos),
        timeout_(timeout),
        last_turn_(now),
        last_heard_(now),
        last_notice_(now) {}

  // Once a turn: whether the peer was there at `heard`. Returns a line to log when it is time.
  [[nodiscard]] std::optional<std::string> update(Instant heard, Instant now) {
    if (const Duration gap = now - std::exchange(last_turn_, now); gap > kOwnGap) {
      last_heard_ += gap;
      last_notice_ += gap;
    }
    if (heard > last_heard_) {
      last_heard_ = heard;
      ever_heard_ = true;
    }
    if (!is_told_) return std::nullopt;
    const Duration silent = now - last_heard_;
    if (silent < kFirstNotice || (ever_heard_ && silent < kSilence)) {
      if (!waiting_) return std::nullopt;
      waiting_ = false;
      return whom_ + " is there";
    }
    if (waiting_ && now - last_notice_ < kNextNotice) return std::nullopt;
    waiting_ = true;
    last_notice_ = now;
    return "waiting for " + whom_;
  }

  [[nodiscard]] bool timed_out(Instant now) const {
    return timeout_ > Duration::zero() && now - last_heard_ >= timeout_;
  }
  // For whom it waits, once that was said; null: for nobody. Lives as long as this, unchanged: any
  // thread may read it.
  [[nodiscard]] const std::string* waits_for() const { return waiting_ ? &whom_ : nullptr; }
  [[nodiscard]] bool is_there(Instant now) const {
    return ever_heard_ && now - last_heard_ < kSilence;
  }
  [[nodiscard]] const std::string& whom() const { return whom_; }

 private:
  std::string whom_;  // "a worker at tcp://…"
  bool is_told_;
  Duration timeout_;
  bool ever_heard_ = false;
  Instant last_turn_;
  Instant last_heard_;  // later by what does not count
  Instant last_notice_;
  bool waiting_ = false;
};

}  // namespace fetchline
