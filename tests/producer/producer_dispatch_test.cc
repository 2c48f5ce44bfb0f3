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

// A worker that says the impossible, and a task that must not be requested twice.
class Liar : public testing::Test {
 protected:
  Liar() {
    scene_.open();
    Task post;
    post.url = "http://h/0";
    post.method = "POST";
    scene_.core.add(std::move(post));
    liar_ = &scene_.worker("liar", 1);
    scene_.turn();
    EXPECT_EQ(liar_->indices(), (Indices{0}));
    honest_ = &scene_.worker("honest", 1);
  }

  void expect_unheard() {
    scene_.turn();
    EXPECT_EQ(scene_.core.dropped_messages(), 1U);
    EXPECT_EQ(scene_.core.in_flight(), 1U);
    EXPECT_TRUE(honest_->tasks.empty());
  }

  Scene scene_;
  StubWorker* liar_ = nullptr;
  StubWorker* honest_ = nullptr;
};

TEST_F(Liar, IsNotHeardWhenItConfirmsAMessageThatWasNeverSent) {
  liar_->says.received = set_of({{2, 2}});  // then the first one would be lost for certain
  scene_.beat(*liar_);
  expect_unheard();
}

TEST_F(Liar, IsNotBelievedWhenItLeavesOutReports) {
  liar_->says.first_report = 3;
  scene_.returns(*liar_, 0);
  scene_.turn();
  EXPECT_EQ(scene_.core.in_flight(), 1U);
  EXPECT_TRUE(honest_->tasks.empty());
}

TEST(ProducerDispatch, WaitsForTheReportsOfALostHeartbeat) {
  Scene scene;
  scene.open();
  scene.add_tasks(4);
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  worker.says.first_report = 2;
  scene.now += 4s;
  scene.returns(worker, 1);
  scene.now += 4s;
  scene.turn();
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
  EXPECT_EQ(scene.core.worker_count(), 1U) << "it lives";
  EXPECT_EQ(worker.messages.back().reports_seen, 0U);
  EXPECT_EQ(scene.core.in_flight(), 2U);
  worker.says.first_report = 1;
  worker.says.reports.clear();
  scene.returns(worker, 0);
  scene.returns(worker, 1);
  scene.turn();
  EXPECT_EQ(worker.messages.back().reports_seen, 2U);
}

TEST_F(Liar, IsNotHeardWhenItReportsATaskThatWasNeverRead) {
  liar_->says.reports.push_back({0, 1, Report::Verdict::returned, Outcome::cancelled, {}});
  scene_.returns(*liar_, 1);
  expect_unheard();
}

TEST_F(Liar, IsNotHeardWhenItQueuesATaskThatWasNeverRead) {
  liar_->says.queued = set_of({{0, 1}});
  scene_.returns(*liar_, 0);
  expect_unheard();
}

// The heartbeat with the first report was lost; each second all are said again.
TEST(ProducerDispatch, TakesNoWorkerForALiarWhoseReportsHaveAGap) {
  Scene scene;
  scene.open();
  scene.add_tasks(2);
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  worker.says.first_report = 2;
  scene.delivers(worker, 1);
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
  EXPECT_EQ(scene.core.in_flight(), 2U) << "not before the one in front of it";
  scene.add_tasks(1);
  scene.turn();
  EXPECT_FALSE(worker.messages.back().settings) << "what it received counts";
  worker.says.first_report = 1;
  worker.says.reports.clear();
  scene.delivers(worker, 0);
  scene.delivers(worker, 1);
  EXPECT_EQ(scene.core.in_flight(), 0U);
}

TEST(ProducerDispatch, GoesOnWithTheNumbersOfAWorkerThatItHasForgotten) {
  Scene scene;
  scene.open();
  scene.add_tasks(3);
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.delivers(worker, 0);
  scene.leaves(worker);
  scene.delivers(worker, 1);  // overtook the farewell
  scene.turn();
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
  EXPECT_EQ(worker.messages.back().seq, 2U);
  EXPECT_EQ(worker.messages.back().reports_seen, 2U);
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

TEST(ProducerDispatch, HandsOutAgainWhatAnOvertakenMessageCarried) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  worker.hears = false;
  scene.add_tasks(2);
  scene.turn();
  worker.hears = true;
  scene.add_tasks(1);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{2}));
  scene.beat(worker);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{2, 0, 1}));
}

TEST(ProducerDispatch, HandsOutAgainTheLastMessageWhenItIsNotConfirmedInThreeSeconds) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 10);
  worker.hears = false;
  scene.add_tasks(2);
  scene.turn();
  worker.hears = true;
  scene.pass(2, {&worker});
  EXPECT_TRUE(worker.tasks.empty());
  EXPECT_EQ(scene.core.in_flight(), 2U);
  scene.pass(1, {&worker});
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST(ProducerDispatch, GivesTheTasksOfASilentWorkerToOthersAfterFiveSeconds) {
  Scene scene;
  scene.add_tasks(4);
  scene.open();
  StubWorker& mute = scene.worker("mute", 4);
  scene.turn();
  EXPECT_EQ(mute.tasks.size(), 4U);
  scene.delivers(mute, 1);  // and not known as safe
  scene.delivers(mute, 2);
  State state = scene.next_state();
  state.committed = set_of({{2, 2}});
  scene.collector_says(state);
  StubWorker& living = scene.worker("living", 10);
  scene.pass(4, {&living});
  EXPECT_TRUE(living.tasks.empty());
  scene.pass(1, {&living});
  EXPECT_EQ(living.indices(), (Indices{0, 1, 3}));
  EXPECT_EQ(scene.core.take_lost_workers(), std::vector<std::string>{"mute"});
  EXPECT_TRUE(scene.core.take_lost_workers().empty());
  EXPECT_EQ(scene.core.worker_count(), 1U);
}

TEST(ProducerDispatch, GoesOnWithAWorkerThatWasSilentWhereItLeftOff) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  StubWorker& mute = scene.worker("mute", 2);
  scene.turn();
  scene.delivers(mute, 0);
  scene.turn();
  mute.says.reports.clear();  // seen, as the answer said
  mute.says.first_report = 2;
  StubWorker& living = scene.worker("living", 10);
  scene.pass(6, {&living});
  EXPECT_EQ(living.indices(), (Indices{0, 1, 2}));
  scene.add_tasks(20);
  const std::size_t before = mute.messages.size();
  scene.beat(mute);
  scene.turn();
  ASSERT_EQ(mute.messages.size(), before + 1);
  const Tasks& message = mute.messages.back();
  EXPECT_FALSE(message.tasks.empty());
  EXPECT_EQ(message.reports_seen, 1U);
  EXPECT_GT(message.seq, mute.messages[before - 1].seq) << "or it would pass for a repetition";
  scene.returns(mute, message.tasks[0].index);
  scene.turn();
  EXPECT_EQ(mute.messages.back().reports_seen, 2U);
}

TEST(ProducerDispatch, KeepsAWorkerThatOnlySaysItIsAlive) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& slow = scene.worker("slow", 1);
  StubWorker& idle = scene.worker("idle", 0);
  scene.pass(60, {&slow, &idle});
  EXPECT_EQ(slow.indices(), (Indices{0}));
  EXPECT_TRUE(idle.tasks.empty());
}

TEST(ProducerDispatch, FollowsAWorkerToItsNewConnection) {
  Scene scene;
  scene.open();
  StubWorker& before = scene.worker("before", 2);
  scene.turn();
  StubWorker& after = scene.worker("after", 2);
  after.says = before.says;
  after.says.seq = 10;
  scene.beat(after);
  scene.turn();
  before.messages.clear();
  scene.add_tasks(1);
  scene.turn();
  EXPECT_TRUE(before.messages.empty());
  EXPECT_EQ(after.indices(), (Indices{0}));
}

// Drain.

TEST(ProducerDispatch, GivesWhatADrainingWorkerReturnsToOthers) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  StubWorker& leaving = scene.worker("leaving", 3);
  scene.turn();
  StubWorker& staying = scene.worker("staying", 3);
  leaving.says.draining = true;
  scene.returns(leaving, 1);
  scene.returns(leaving, 2);
  scene.turn();
  EXPECT_EQ(staying.indices(), (Indices{1, 2}));
  scene.delivers(leaving, 0);
  scene.leaves(leaving);
  scene.turn();
  EXPECT_EQ(scene.core.worker_count(), 1U);
  EXPECT_EQ(staying.indices(), (Indices{1, 2})) << "what it delivered is safe";
  EXPECT_TRUE(scene.core.take_lost_workers().empty());
}

TEST(ProducerDispatch, GivesWhatADepartedWorkerStillHeldToOthers) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& leaving = scene.worker("leaving", 2);
  scene.turn();
  StubWorker& staying = scene.worker("staying", 2);
  scene.leaves(leaving);
  scene.turn();
  EXPECT_EQ(staying.indices(), (Indices{0, 1}));
}

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
