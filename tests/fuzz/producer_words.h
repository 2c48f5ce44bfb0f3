// Messages that anybody may send a ProducerCore, made of a fuzz target's input: what is well
// formed, whether or not it makes sense.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "proto/messages.h"
#include "tests/fuzz/events.h"

namespace fetchline::fuzz {

// As `heartbeat` names its sender.
inline Heartbeat any_heartbeat(Bytes& input, Heartbeat heartbeat, bool resume) {
  heartbeat.seq = input.below(8);
  heartbeat.slots = input.below(4);
  heartbeat.backlog = input.below(4);
  heartbeat.draining = input.below(4) == 0;
  heartbeat.cut_off = input.below(4) == 0;
  heartbeat.received = small_set(input);
  heartbeat.first_report = input.below(6);
  heartbeat.reports.clear();
  for (std::size_t i = input.below(4); i > 0; --i) {
    Report report{small_index(input),
                  input.below(4),
                  static_cast<Report::Verdict>(input.below(3)),
                  Outcome::timeout,
                  {}};
    if (input.flip()) report.retry_after = std::chrono::milliseconds(input.number(2));
    heartbeat.reports.push_back(report);
  }
  if (input.flip()) heartbeat.queued = small_set(input);
  if (resume) heartbeat.of_older_epoch = small_set(input);
  return heartbeat;
}

inline State any_state(Bytes& input, std::uint64_t nonce, bool resume) {
  State state;
  state.boot = BootId{1U + input.below(2)};
  state.nonce = input.below(8) == 0 ? 1 : nonce;
  state.seq = input.below(16);
  state.log = input.below(2);
  state.watermark = input.flip() ? 0 : small_index(input);
  state.dispatch_limit = input.flip() ? kMaxIndex : small_index(input);
  if (input.below(4) == 0) state.total = small_index(input);
  if (input.flip()) state.committed = small_set(input);
  state.whole = input.flip();
  if (input.below(4) == 0) state.compare_to = small_index(input);
  state.compared = input.below(4) == 0 ? small_index(input) : state.compare_to;
  state.begun_below = input.flip() ? kMaxIndex : small_index(input);
  if (resume) state.begun_before = std::min(state.begun_below, small_index(input));
  return state;
}

inline Acks any_acks(Bytes& input) {
  Acks acks;
  acks.boot = BootId{1U + input.below(2)};
  acks.seq = input.below(8);
  acks.watermark = small_index(input);
  acks.admit_limit = small_index(input);
  acks.byte_window = input.number(2);
  acks.accepted = small_set(input);
  acks.refused = small_set(input);
  return acks;
}

// Of those that have little to say, or are said to the wrong one.
inline Message any_word(Bytes& input) {
  switch (input.below(6)) {
    case 0:
      return Done{};
    case 1:
      return Refused{static_cast<Refused::Reason>(input.below(4)), small_index(input)};
    case 2:
      return Bye{WorkerId{input.below(4)}};
    case 3:
      return Tasks{};
    case 4:
      return Recap{};
    default:
      return State{};
  }
}

}  // namespace fetchline::fuzz
