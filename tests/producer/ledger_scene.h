// What the tests of the ledger share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "producer/ledger.h"
#include "tests/proto/frames.h"
#include "tests/proto/start.h"

namespace fetchline {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

inline constexpr WorkerId kOne{1}, kTwo{2}, kThree{3};
inline constexpr Index kAll = kMaxIndex;
inline Ledger with_tasks(Index count, Repetition repetition = Repetition::when_lost) {
  Ledger ledger;
  for (Index i = 0; i < count; ++i) {
    Task task;
    task.url = "http://h/" + std::to_string(i);
    ledger.add(std::move(task), {}, repetition);
  }
  return ledger;
}

// Leases up to `count` tasks to the worker, all in one message.
inline Indices lease(Ledger& ledger, WorkerId worker, std::size_t count,
                     std::uint64_t message = 1) {
  Indices indices;
  while (indices.size() < count && ledger.next_ready(kAll)) {
    indices.push_back(ledger.lease(kAll, {worker, message}).index);
  }
  return indices;
}

inline Indices rest(Ledger& ledger, WorkerId worker = WorkerId{99}) {
  return lease(ledger, worker, 1'000'000);
}

}  // namespace fetchline
