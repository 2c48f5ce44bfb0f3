// A worker and a collector as proto/PROTOCOL.md has them: whom a ProducerCore speaks to in an
// honest run. Values; they know nothing of the core.
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "producer/producer_core.h"
#include "proto/messages.h"
#include "tests/fuzz/events.h"

namespace fetchline::fuzz {

struct WorkerPeer {
  PeerId peer;
  Heartbeat says;  // but for its reports: those from first_report on
  JobId job;
  Epoch epoch{};
  std::map<Index, Task> holds;

  void forget() {
    job = {};
    epoch = {};
    begin_session();
  }
  void begin_session() {
    holds.clear();
    says.received.clear();
    says.reports.clear();
    says.first_report = 1;
  }

  // True: its result is on the way.
  bool end_task(Index index, Report::Verdict verdict) {
    const Task& task = holds.at(index);
    if (verdict == Report::Verdict::retry && !task.may_retry) verdict = Report::Verdict::delivered;
    says.reports.push_back({index, task.attempt, verdict, Outcome::ok, {}});
    holds.erase(index);
    return verdict == Report::Verdict::delivered;
  }

  void hear(const Received& received, const Tasks& tasks) {
    if (job != received.job || epoch < received.epoch) {
      if (job != received.job && !tasks.settings) return;
      job = received.job;
      epoch = received.epoch;
      begin_session();
    }
    while (!says.reports.empty() && says.first_report <= tasks.reports_seen) {
      says.reports.erase(says.reports.begin());
      ++says.first_report;
    }
    auto& had = says.received;
    if (tasks.seq == 0 || (!had.empty() && tasks.seq <= had.ranges().back().last)) return;
    had.insert(tasks.seq);
    for (const Task& task : tasks.tasks) holds[task.index] = task;
  }
};

struct CollectorPeer {
  BootId boot{1};
  std::uint64_t seq = 0;
  Epoch epoch{1};
  IndexSet committed;
  Index limit = kMaxIndex;
  Index begun_below = 0, begun_before = 0;
  std::optional<Index> total;
  bool done = false;

  [[nodiscard]] Index watermark() const {
    const auto& ranges = committed.ranges();
    return ranges.empty() || ranges.front().first > 0 ? 0 : ranges.front().last + 1;
  }

  void take(Index index) {
    if (!total || index < *total) committed.insert(index);
  }
  void hear(const Message& message) {
    if (const auto* end = std::get_if<End>(&message)) total = end->total;
    if (const auto* begin = std::get_if<Begin>(&message)) {
      begun_below = std::max(begun_below, begin->below);
    }
  }
  void begin_anew() {  // with its log
    boot = BootId{static_cast<std::uint64_t>(boot) + 1};
    seq = 0;
  }

  [[nodiscard]] State next_state(std::uint64_t nonce, bool whole) {
    State state;
    state.boot = boot;
    state.nonce = nonce;
    state.seq = ++seq;
    state.log = 1;
    state.watermark = watermark();
    state.dispatch_limit = std::max(limit, state.watermark + 1);
    state.total = total;
    state.begun_below = begun_below;
    state.begun_before = begun_before;
    state.whole = whole;
    if (whole) state.committed = committed;
    return state;
  }
  [[nodiscard]] Acks next_acks() {
    Acks acks;
    acks.boot = boot;
    acks.seq = ++seq;
    acks.watermark = watermark();
    acks.admit_limit = kMaxIndex;
    acks.byte_window = 1U << 20U;
    acks.accepted = committed;
    return acks;
  }
};

}  // namespace fetchline::fuzz
