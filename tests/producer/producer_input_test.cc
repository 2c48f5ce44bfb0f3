// What the producer takes from its input, and what it does with lines that are not tasks.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

// How much input is taken.

TEST(ProducerCore, ReadsAheadByNumber) {
  Scene scene;
  EXPECT_TRUE(scene.core.wants_input());
  scene.add_tasks(ProducerCore::kReadAheadTasks - 1);
  EXPECT_TRUE(scene.core.wants_input());
  scene.add_tasks(1);
  EXPECT_FALSE(scene.core.wants_input());
  scene.open();
  scene.worker("a", 1);
  scene.turn();
  EXPECT_TRUE(scene.core.wants_input()) << "one was handed out";
}

TEST(ProducerCore, ReadsAheadByBytes) {
  Scene scene;
  Task large;
  large.body.emplace(ProducerCore::kReadAheadBytes, 'x');
  scene.core.add(std::move(large));
  EXPECT_FALSE(scene.core.wants_input());
  scene.open();
  scene.worker("a", 1);
  scene.turn();
  EXPECT_TRUE(scene.core.wants_input());
}

TEST(ProducerCore, ReadsNothingAfterTheEndOrWhenItStops) {
  Scene ended, stopped;
  ended.core.end_of_input();
  EXPECT_FALSE(ended.core.wants_input());
  stopped.core.stop_dispatch();
  EXPECT_FALSE(stopped.core.wants_input());
}

// Lines that are not tasks.

void add_faulty(Scene& scene) {
  Task place;
  place.url = "gopher://x";
  place.id = "id-" + std::to_string(scene.core.next_index());
  place.meta = "[1]";
  scene.core.add(std::move(place), "line 2: scheme not allowed");
}

TEST(ProducerCore, DeliversALineThatIsNoTaskInItsPlace) {
  Scene scene;
  scene.add_tasks(1);
  add_faulty(scene);
  scene.add_tasks(1);
  scene.open();
  scene.turn();
  EXPECT_TRUE(scene.results().empty()) << "the task before it is not handed out";
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  const auto results = scene.results();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].index, 1U);
  EXPECT_EQ(results[0].outcome, Outcome::invalid_task);
  EXPECT_EQ(results[0].attempts, 0U);
  EXPECT_EQ(results[0].errormsg, "line 2: scheme not allowed");
  EXPECT_EQ(results[0].url, "gopher://x");
  EXPECT_EQ(results[0].id, "id-1");
  EXPECT_EQ(results[0].meta, "[1]");
  EXPECT_EQ(results[0].worker, "producer:1");
  EXPECT_EQ(results[0].fetched_at, 123'456ms);
  EXPECT_EQ(worker.indices(), (Indices{0, 2}));
}

TEST(ProducerCore, NeedsNoWorkerForInputWithoutTasks) {
  Scene scene;
  for (int i = 0; i < 200; ++i) add_faulty(scene);
  scene.open();
  scene.turn();
  const auto results = scene.results();
  ASSERT_EQ(results.size(), 200U);
  for (Index i = 0; i < 200; ++i) EXPECT_EQ(results[i].index, i);
}

TEST(ProducerCore, DeliversNoLineBeyondTheDispatchLimit) {
  Scene scene;
  for (int i = 0; i < 5; ++i) add_faulty(scene);
  scene.open(2);
  scene.turn();
  EXPECT_EQ(scene.results().size(), 2U);
  scene.collector_says(scene.next_state(2, 4));
  scene.turn();
  EXPECT_EQ(scene.results().size(), 2U);
}

TEST(ProducerCore, DeliversALineAgainUntilItIsAcknowledged) {
  Scene scene;
  add_faulty(scene);
  scene.open();
  scene.turn();
  EXPECT_EQ(scene.results().size(), 1U);
  scene.results();
  scene.core.results_not_sent();
  EXPECT_EQ(scene.results().size(), 1U);
  scene.pass(5, {});
  EXPECT_EQ(scene.results().size(), 1U);
  EXPECT_FALSE(scene.core.drained());
  Acks acks;
  acks.accepted = set_of({{0, 0}});
  scene.collector_says(acks);
  EXPECT_TRUE(scene.core.drained());
  scene.pass(6, {});
  EXPECT_TRUE(scene.results().empty());
}

TEST(ProducerCore, DeliversNothingBeforeAnEpochIsGranted) {
  Scene scene;
  add_faulty(scene);
  scene.turn();
  EXPECT_TRUE(scene.results().empty());
}

}  // namespace
}  // namespace fetchline
