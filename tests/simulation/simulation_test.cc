// Thousands of runs of the three roles, each with its own luck. A failing seed is printed; it runs
// alone, the same way, with TEST_SEED=seed.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/simulation/world.h"

namespace fetchline {
namespace {

constexpr std::uint64_t kShards = 8;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void run_seed(std::uint64_t seed) {
  const Plan plan(seed);
  World world(plan);
  world.run();
  ASSERT_FALSE(testing::Test::HasFailure()) << "replay with TEST_SEED=" << seed;
}

class Simulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Simulation, EveryRunEndsWithEveryRecordOnceAndInOrder) {
  const std::uint64_t alone = number_from("TEST_SEED", 0);
  if (alone != 0) return run_seed(alone);
  const std::uint64_t seeds = number_from("TEST_SEEDS", 10'000);
  for (std::uint64_t seed = 1 + GetParam(); seed <= seeds; seed += kShards) {
    run_seed(seed);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, Simulation, testing::Range<std::uint64_t>(0, kShards));

TEST(SimulationReplay, IsTheSameForTheSameSeed) {
  const Plan plan(4711);
  World first(plan);
  World second(plan);
  first.run();
  second.run();
  EXPECT_EQ(first.counts().requests, second.counts().requests);
  EXPECT_EQ(first.counts().repeated, second.counts().repeated);
}

}  // namespace
}  // namespace fetchline
