// What must not be requested twice is handed out when that is on record, and a producer that
// resumes finds out what became of it.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

void add(Scene& scene, const std::string& methods) {
  for (const char method : methods) {
    Task task;
    task.url = "http://h/";
    task.method = method == 'P' ? "POST" : "GET";
    scene.core.add(std::move(task));
  }
}

// As the collector does it at first.
void open(Scene& scene, Index dispatch_limit = kMaxIndex) {
  State state = scene.next_state(0, dispatch_limit);
  state.begun_below = 0;
  scene.collector_says(state);
}

// The mark of the one Begin that was said since.
Index asked(Scene& scene) {
  const auto all = scene.heard_by_collector<Begin>();
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? 0 : all.back().below;
}

void grant(Scene& scene, Index below) {
  State state = scene.next_state();
  state.begun_below = below;
  scene.collector_says(state);
}

TEST(ProducerBegin, IsNotAskedForByAJobThatMayRepeatEverything) {
  Scene scene;
  add(scene, "GGGG");
  open(scene);
  StubWorker& worker = scene.worker("w", 4);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2, 3}));
  EXPECT_TRUE(scene.heard_by_collector<Begin>().empty());
}

TEST(ProducerBegin, IsNotAskedForWhenTheUserAllowsRepetition) {
  auto settings = Scene::default_settings();
  settings.job_settings.retry_unsafe = true;
  Scene scene(settings);
  add(scene, "P");
  open(scene);
  StubWorker& worker = scene.worker("w", 4);
  scene.turn();
  EXPECT_EQ(worker.indices(), Indices{0});
  EXPECT_TRUE(scene.heard_by_collector<Begin>().empty());
}

TEST(ProducerBegin, HoldsBackWhatMustNotBeRequestedTwiceUntilItIsOnRecord) {
  Scene scene;
  add(scene, "GGPGPP");
  open(scene);
  StubWorker& worker = scene.worker("w", 5);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
  EXPECT_EQ(asked(scene), 5U) << "for as much as there is room for";
  scene.turn();
  EXPECT_TRUE(scene.heard_by_collector<Begin>().empty()) << "it is under way";
  grant(scene, 5);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2, 3, 4}));
  EXPECT_TRUE(scene.heard_by_collector<Begin>().empty()) << "nobody has room";
  scene.delivers(worker, 0);
  scene.turn();
  EXPECT_EQ(asked(scene), 6U);
}

TEST(ProducerBegin, IsAskedForAgainWhenNoAnswerComes) {
  Scene scene;
  add(scene, "P");
  open(scene);
  StubWorker& worker = scene.worker("w", 5);
  scene.turn();
  EXPECT_EQ(asked(scene), 1U);
  scene.turn(500ms);
  EXPECT_TRUE(scene.heard_by_collector<Begin>().empty());
  scene.turn(500ms);
  EXPECT_EQ(asked(scene), 1U);
  scene.core.collector_unreached();
  scene.turn();
  EXPECT_EQ(asked(scene), 1U);
  EXPECT_TRUE(worker.indices().empty());
}

TEST(ProducerBegin, IsAskedForForTheHeadEvenWhenNobodyHasRoom) {
  Scene scene;
  add(scene, "PP");
  open(scene);
  StubWorker& worker = scene.worker("w", 0);
  scene.turn();
  EXPECT_EQ(asked(scene), 1U);
  grant(scene, 1);
  scene.turn();
  EXPECT_EQ(worker.indices(), Indices{0});
}

TEST(ProducerBegin, DoesNotReachBeyondTheDispatchLimit) {
  Scene scene;
  add(scene, "PPPP");
  open(scene, 2);
  scene.worker("w", 5);
  scene.turn();
  EXPECT_EQ(asked(scene), 2U);
}

TEST(ProducerBegin, SaysWhenItLeavesFromWhereOnNothingIsInDoubt) {
  Scene scene;
  add(scene, "PPPP");
  open(scene);
  StubWorker& worker = scene.worker("w", 4);
  scene.turn();
  grant(scene, 4);
  scene.turn();
  for (const Index index : {1, 2, 3}) scene.returns(worker, index);
  scene.delivers(worker, 0);
  EXPECT_FALSE(scene.core.drained()) << "it may yet be known to be safe";
  scene.core.leave();
  auto said = scene.core.take_outgoing();
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(message_of<Bye>(std::move(said.front().frames)).begun_below, 1U);
  scene.collector_says(scene.next_state(1));
  EXPECT_TRUE(scene.core.drained());
}

// A producer before this one was told that it may hand out all below 4.
class ProducerDoubts : public testing::Test {
 protected:
  ProducerDoubts() : scene(resuming()) {
    add(scene, "PGPPP");
    State state = scene.next_state();
    state.begun_below = state.begun_before = 4;
    scene.collector_says(state);
  }
  static ProducerCore::Settings resuming() {
    auto settings = Scene::default_settings();
    settings.resume = true;
    return settings;
  }
  // In the session of this epoch.
  StubWorker& joined(const std::string& name, std::initializer_list<IndexRange> holds = {}) {
    StubWorker& worker = scene.worker(name, 1);
    scene.turn();
    worker.says.of_older_epoch = set_of(holds);
    worker.says.queued.emplace();
    scene.beat(worker);
    return worker;
  }

  Scene scene;
};

TEST_F(ProducerDoubts, EndAfterALeaseWhenNoWorkerHasTheTasks) {
  StubWorker& worker = joined("w");
  scene.pass(5, {&worker});
  EXPECT_TRUE(scene.results().empty());
  EXPECT_EQ(worker.indices(), Indices{1}) << "what may be repeated is not held up";
  scene.pass(1, {&worker});
  const auto results = scene.results();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].index, 0U);
  EXPECT_EQ(results[2].index, 3U);
  EXPECT_EQ(results[0].outcome, Outcome::abandoned);
  EXPECT_EQ(results[0].attempts, 1U);
}

TEST_F(ProducerDoubts, AreOverWithAWorkerThatHasTheTask) {
  StubWorker& worker = joined("w", {{2, 2}});
  scene.pass(10, {&worker});
  EXPECT_EQ(scene.results().size(), 2U) << "of 0 and 3";
  EXPECT_EQ(scene.core.in_flight(), 2U) << "with 1, that it was given meanwhile";
  scene.delivers(worker, 2);
  EXPECT_EQ(scene.core.in_flight(), 1U);
}

TEST_F(ProducerDoubts, AreOverWithAReportOfTheTask) {
  StubWorker& worker = joined("w");
  StubWorker& other = joined("o");
  other.says.slots = 0;
  scene.beat(other);
  scene.returns(worker, 3);
  scene.report(worker, {2, 2, Report::Verdict::retry, Outcome::connect_error, {}});
  scene.delivers(worker, 1);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{1, 3})) << "it was never sent";
  scene.delivers(worker, 3);
  scene.pass(3, {&worker, &other});
  EXPECT_EQ(worker.indices(), (Indices{1, 3, 2})) << "nor was that";
}

TEST_F(ProducerDoubts, WaitForAWorkerThatHasNotHeardOfTheEpoch) {
  StubWorker& worker = scene.worker("w", 1);
  worker.hears = false;
  scene.pass(10, {&worker});
  EXPECT_TRUE(scene.results().empty());
  worker.hears = true;
  scene.pass(2, {&worker});
  EXPECT_TRUE(scene.results().empty()) << "it is here, and has not said yet what it holds";
  worker.says.queued.emplace();
  scene.pass(2, {&worker});
  EXPECT_EQ(scene.results().size(), 3U);
}

TEST_F(ProducerDoubts, WaitWhileMessagesOfWorkersAreUnheard) {
  scene.core.set_more_to_hear(true);
  scene.pass(10, {});
  EXPECT_TRUE(scene.results().empty());
  scene.core.set_more_to_hear(false);
  scene.turn();
  EXPECT_EQ(scene.results().size(), 1U) << "the head; the next has no worker";
}

TEST_F(ProducerDoubts, AreLeftToTheNextProducerByOneThatLeaves) {
  scene.core.leave();
  auto said = scene.core.take_outgoing();
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(message_of<Bye>(std::move(said.front().frames)).begun_below, 4U);
}

TEST_F(ProducerDoubts, BelieveAWorkerThatHasWhatIsNotReadYet) {
  StubWorker& worker = joined("w");
  scene.returns(worker, 1'000);
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
}

}  // namespace
}  // namespace fetchline
