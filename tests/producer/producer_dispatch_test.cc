// The producer and its workers: who gets what, and what becomes of it.
#include <gtest/gtest.h>

#include <set>

#include "producer/producer.h"
#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

TEST(ProducerDispatch, TakesLoginsBeforeTheCollectorHasAnswered) {
  Scene scene;
  scene.add_tasks(2);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  EXPECT_TRUE(worker.messages.empty());
  EXPECT_EQ(scene.core.worker_count(), 1U);
  scene.open();
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1})) << "without another heartbeat";
}

TEST(ProducerDispatch, HandsOutTasksInOrderAsTheyWereRead) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  scene.add_tasks(3);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2}));
  EXPECT_EQ(worker.tasks[1].url, "http://h/1");
  EXPECT_EQ(worker.tasks[1].attempt, 1U);
  EXPECT_TRUE(worker.tasks[1].may_retry);
  EXPECT_EQ(scene.core.in_flight(), 3U);
}

TEST(ProducerDispatch, AnswersEveryHeartbeatOnce) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  ASSERT_EQ(worker.messages.size(), 1U);
  EXPECT_EQ(worker.messages[0].seq, 0U);
  scene.turn(100ms);
  EXPECT_EQ(worker.messages.size(), 1U);
  scene.add_tasks(1);
  scene.beat(worker);
  scene.turn();
  EXPECT_EQ(worker.messages.size(), 2U) << "work is an answer";
}

TEST(ProducerDispatch, SendsTheSettingsUntilTheWorkerHasShownThatItHasThem) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  scene.add_tasks(1);
  scene.turn();
  ASSERT_EQ(worker.messages.size(), 2U);
  for (const Tasks& message : worker.messages) {
    ASSERT_TRUE(message.settings);
    EXPECT_EQ(message.settings->user_agent, "scene/1");
  }
  scene.beat(worker);  // confirms the message
  scene.add_tasks(1);
  scene.turn();
  EXPECT_FALSE(worker.messages.back().settings);
}

TEST(ProducerDispatch, GivesAWorkerItsSlotsAndItsBacklog) {
  Scene scene;
  scene.add_tasks(20);
  scene.open();
  StubWorker& worker = scene.worker("a", 4, 3);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 7U);
  scene.turn(100ms);
  EXPECT_EQ(worker.tasks.size(), 7U);
  scene.delivers(worker, 2);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 8U);
}

TEST(ProducerDispatch, FillsFreeSlotsEverywhereBeforeAnyBacklog) {
  Scene scene;
  scene.add_tasks(8);
  scene.open();
  StubWorker& a = scene.worker("a", 2, 100);
  StubWorker& b = scene.worker("b", 5, 100);
  scene.turn();
  EXPECT_GE(a.tasks.size(), 2U);
  EXPECT_GE(b.tasks.size(), 5U);
  EXPECT_EQ(a.tasks.size() + b.tasks.size(), 8U);
}

TEST(ProducerDispatch, PrefersAFreeSlotToABacklogAlreadyFilling) {
  Scene scene;
  scene.open();
  StubWorker& busy = scene.worker("busy", 2, 100);
  scene.add_tasks(2);
  scene.turn();
  EXPECT_EQ(busy.tasks.size(), 2U);
  StubWorker& idle = scene.worker("idle", 2, 100);
  scene.add_tasks(2);
  scene.turn();
  EXPECT_EQ(idle.tasks.size(), 2U);
  EXPECT_EQ(busy.tasks.size(), 2U);
}

TEST(ProducerDispatch, SpreadsFewTasksOverAllWorkers) {
  Scene scene;
  scene.add_tasks(9);
  scene.open();
  StubWorker& a = scene.worker("a", 100);
  StubWorker& b = scene.worker("b", 100);
  StubWorker& c = scene.worker("c", 100);
  scene.turn();
  EXPECT_EQ(a.tasks.size(), 3U);
  EXPECT_EQ(b.tasks.size(), 3U);
  EXPECT_EQ(c.tasks.size(), 3U);
}

TEST(ProducerDispatch, GivesNobodyATaskThatAnotherHolds) {
  Scene scene;
  scene.add_tasks(50);
  scene.open();
  StubWorker& a = scene.worker("a", 10, 10);
  StubWorker& b = scene.worker("b", 10, 10);
  scene.pass(3, {&a, &b});
  std::set<Index> all;
  for (const StubWorker* worker : {&a, &b}) {
    for (const Index index : worker->indices()) EXPECT_TRUE(all.insert(index).second) << index;
  }
  EXPECT_EQ(all.size(), 40U);
  EXPECT_EQ(*all.rbegin(), 39U);
}

TEST(ProducerDispatch, HandsOutTheHeadWhenNobodyHasRoom) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  StubWorker& worker = scene.worker("a", 0);
  scene.turn();
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0})) << "the head and nothing else";
  scene.delivers(worker, 0);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0})) << "0 is not safe yet, so 1 is not the head";
  scene.collector_says(scene.next_state(1));
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST(ProducerDispatch, HandsOutTheHeadToTheWorkerWithTheLeast) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  StubWorker& full = scene.worker("full", 2);
  scene.turn();
  EXPECT_EQ(full.tasks.size(), 2U);
  StubWorker& idle = scene.worker("idle", 0);
  scene.collector_says(scene.next_state(0));
  scene.returns(full, 0);
  full.says.slots = 0;
  scene.beat(full);
  scene.turn();
  EXPECT_EQ(idle.indices(), (Indices{0}));
}

TEST(ProducerDispatch, GivesADrainingWorkerNotEvenTheHead) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  worker.says.draining = true;
  scene.beat(worker);
  scene.turn();
  EXPECT_TRUE(worker.tasks.empty());
  EXPECT_EQ(worker.messages.size(), 1U) << "but an answer";
}

TEST(ProducerDispatch, HandsOutNothingFromTheDispatchLimitOn) {
  Scene scene;
  scene.add_tasks(100);
  scene.open(10);
  StubWorker& worker = scene.worker("a", 1000);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 10U);
  scene.collector_says(scene.next_state(5, 15));
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 15U);
  scene.collector_says(scene.next_state(6, 7));  // it may shrink
  scene.returns(worker, 6);
  scene.returns(worker, 7);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 16U);
  EXPECT_EQ(worker.tasks.back().index, 6U);
}

TEST(ProducerDispatch, ObeysANarrowerWindowOfItsOwn) {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.window = 3;
  Scene scene(settings);
  scene.add_tasks(100);
  scene.open(10);
  StubWorker& worker = scene.worker("a", 1000);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 3U);
  scene.collector_says(scene.next_state(4, 14));
  scene.turn();
  EXPECT_EQ(worker.tasks.back().index, 6U);
}

TEST(ProducerDispatch, HasAWindowOfAHundredThousandTasksUnlessToldOtherwise) {
  EXPECT_EQ(ProducerOptions{}.window, 100'000U);
}

TEST(ProducerDispatch, PutsNoMoreThanAFewTasksIntoAMessage) {
  Scene scene;
  scene.add_tasks(1000);
  scene.open();
  StubWorker& worker = scene.worker("a", 1000);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 1000U);
  EXPECT_GE(worker.messages.size(), 1000 / kMaxTasksPerMessage);
  std::uint64_t seq = 0;
  for (const Tasks& message : worker.messages) {
    EXPECT_LE(message.tasks.size(), kMaxTasksPerMessage);
    EXPECT_EQ(message.seq, ++seq);
  }
}

TEST(ProducerDispatch, PutsNoMoreThanSomeBytesIntoAMessage) {
  Scene scene;
  for (int i = 0; i < 8; ++i) {
    Task task;
    task.body.emplace(200'000, 'x');
    scene.core.add(std::move(task));
  }
  scene.open();
  StubWorker& worker = scene.worker("a", 1000);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 8U);
  for (const Tasks& message : worker.messages) EXPECT_LE(message.tasks.size(), 2U);
}

// Reports.

TEST(ProducerDispatch, AcknowledgesReportsAndTakesEachOnce) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  scene.delivers(worker, 0);
  scene.turn();
  EXPECT_EQ(worker.messages.back().reports_seen, 1U);
  EXPECT_EQ(scene.core.in_flight(), 1U);
  scene.returns(worker, 1);  // says the first again with it
  scene.turn();
  EXPECT_EQ(worker.messages.back().reports_seen, 2U);
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 1}));
}

TEST(ProducerDispatch, BelievesNoReportOfWhatTheWorkerDoesNotHold) {
  Scene scene;
  scene.add_tasks(4);
  scene.open();
  StubWorker& a = scene.worker("a", 2);
  StubWorker& b = scene.worker("b", 2);
  scene.turn();
  EXPECT_EQ(scene.core.in_flight(), 4U);
  for (const Index index : b.indices()) scene.returns(a, index);
  scene.delivers(a, 1'000'000);
  scene.turn();
  EXPECT_EQ(scene.core.in_flight(), 4U);
  EXPECT_EQ(a.tasks.size(), 2U);
}

TEST(ProducerDispatch, TakesNoReportsFromALoginOrAnotherJobsSession) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  worker.job = job_number(2);
  scene.delivers(worker, 0);
  scene.turn();
  EXPECT_EQ(scene.core.in_flight(), 1U);
  EXPECT_EQ(worker.messages.back().reports_seen, 0U);
}

Report retry(Index index, std::uint32_t attempt, std::optional<std::chrono::milliseconds> asked) {
  return {index, attempt, Report::Verdict::retry, Outcome::timeout, asked};
}

TEST(ProducerDispatch, HandsOutAFailedTaskAgainAfterADelay) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.report(worker, retry(0, 1, {}));
  scene.turn();
  EXPECT_EQ(scene.core.in_flight(), 0U);
  ASSERT_TRUE(scene.core.next_due());
  EXPECT_GE(*scene.core.next_due(), scene.now + 750ms);
  EXPECT_LE(*scene.core.next_due(), scene.now + 1250ms);
  scene.turn(749ms);
  EXPECT_EQ(worker.tasks.size(), 1U);
  scene.turn(501ms);
  ASSERT_EQ(worker.tasks.size(), 2U);
  EXPECT_EQ(worker.tasks[1].attempt, 2U);
  EXPECT_TRUE(worker.tasks[1].may_retry);
}

TEST(ProducerDispatch, AllowsNoRetryAtTheLastAttempt) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.report(worker, retry(0, 1, {}));
  scene.pass(2, {&worker});
  scene.report(worker, retry(0, 2, {}));
  scene.pass(3, {&worker});
  ASSERT_EQ(worker.tasks.size(), 3U);
  EXPECT_EQ(worker.tasks[2].attempt, 3U);
  EXPECT_FALSE(worker.tasks[2].may_retry);
}

TEST(ProducerDispatch, AllowsNoRetryWhenNoneIsWanted) {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.retry.retries = 0;
  Scene scene(settings);
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  EXPECT_FALSE(worker.tasks.at(0).may_retry);
}

TEST(ProducerDispatch, WaitsAsLongAsTheOriginAskedFor) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  scene.report(worker, retry(0, 1, 100s));
  scene.pass(99, {&worker});
  EXPECT_EQ(worker.tasks.size(), 2U);
  scene.pass(11, {&worker});
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 0}));
}

TEST(ProducerDispatch, BelievesNoFailureOfAnEarlierAttempt) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.report(worker, retry(0, 1, {}));
  scene.pass(2, {&worker});
  ASSERT_EQ(worker.tasks.size(), 2U);
  scene.report(worker, retry(0, 1, {}));
  EXPECT_EQ(scene.core.in_flight(), 1U);
  EXPECT_FALSE(scene.core.next_due());
  scene.report(worker, retry(0, 2, {}));
  EXPECT_EQ(scene.core.in_flight(), 0U);
}

// Losses.

TEST(ProducerDispatch, HandsOutNothingMoreWhenItStops) {
  Scene scene;
  scene.add_tasks(5);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  scene.core.stop_dispatch();
  EXPECT_FALSE(scene.core.drained());
  scene.delivers(worker, 0);
  scene.turn();
  EXPECT_FALSE(scene.core.drained());
  scene.returns(worker, 1);
  scene.turn();
  EXPECT_EQ(worker.tasks.size(), 2U);
  EXPECT_EQ(worker.messages.back().reports_seen, 2U) << "heartbeats are still answered";
  EXPECT_TRUE(scene.core.drained());
}

}  // namespace
}  // namespace fetchline
