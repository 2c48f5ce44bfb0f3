// What must hold when a simulated run is over.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulation/roles.h"

namespace fetchline {

void World::check_output() const {
  if (testing::Test::HasFailure()) return;
  ASSERT_EQ(collector_.disk().output().size(), plan_.tasks);
  const ProducerCore& producer = producers_.back()->core;
  if (producer.phase() == ProducerCore::Phase::done) {
    ASSERT_EQ(producer.counts(), collector_.counts());
  } else {
    // A collector that died when all was done and starts anew waits 5 s for whoever asks: when all
    // that is said meanwhile is lost or late, it is gone.
    const bool unheard = plan_.dies_at_end > 0 && plan_.lost + plan_.late > 0;
    ASSERT_TRUE(unheard || plan_.restarts > 0)
        << "only one that comes when all is done may not know it";
  }
  ASSERT_EQ(total_of(collector_.counts()), plan_.tasks);
}

// Nobody dies or leaves but collectors, and no message is late.
bool World::is_peaceful() const {
  return plan_.lost + plan_.repeated + plan_.late == 0 && plan_.faults == 0 &&
         plan_.restarts == 0 && plan_.poison.empty();
}

// Of each as it is put out, and again when it was lost with the collector.
void World::check_record(const Result& result) const {
  ASSERT_EQ(result.url, url_of(result.index));
  ASSERT_EQ(result.task_hash, hash_of(plan_, result.index));
  if (is_faulty(plan_, result.index)) {
    ASSERT_EQ(result.outcome, Outcome::invalid_task);
  } else if (plan_.poison.contains(result.index)) {
    ASSERT_EQ(result.outcome, Outcome::abandoned) << result.index << " kills";
  } else if (result.outcome == Outcome::abandoned) {
    // An innocent only when it was beside others that died, and alone with one that died by chance
    // or of what it ran for an earlier producer.
    ASSERT_TRUE(is_unsafe(plan_, result.index) || lost_by_chance_ || plan_.restarts > 0)
        << result.index << ": " << result.errormsg;
    ASSERT_FALSE(is_peaceful()) << result.index << ": " << result.errormsg;
  } else if (result.outcome == Outcome::ok) {
    ASSERT_EQ(result.body, body_of(plan_, result.index));
  } else {
    ASSERT_EQ(result.outcome, Outcome::timeout);
    ASSERT_EQ(result.attempts, plan_.retries + 1) << "given up too early";
  }
}

void World::check_requests() const {
  std::map<Index, int> sent;
  for (const auto& [request, times] : requests_) {
    if (is_unsafe(plan_, request.first)) sent[request.first] += times;
  }
  for (const auto& [index, times] : sent) {
    ASSERT_EQ(times, 1) << index << " must not be requested twice";
  }
  if (is_peaceful()) {
    // Tasks given to a second worker may wait there until the first has delivered.
    ASSERT_LE(counts_.wasted, std::max<Index>(3, counts_.requests / 50))
        << "what is safe is requested again";
  }
  if (!is_peaceful() || plan_.crashes + plan_.dies_at_end > 0) return;
  ASSERT_LE(counts_.duplicates, std::max<Index>(3, counts_.requests / 50));
}

// The one before is told, unless all was over soon.
void World::check_producers() const {
  for (const auto& producer : producers_) {
    if (producer->dead || !producer->replaced) continue;
    if (*collector_.over_since() - *producer->replaced < std::chrono::seconds(20)) continue;
    const auto phase = producer->core.phase();
    ASSERT_TRUE(producer->fenced() || phase == ProducerCore::Phase::done)
        << static_cast<int>(producer->core.phase());
  }
}

}  // namespace fetchline
