#include "worker/worker_core.h"

#include <gtest/gtest.h>

#include "tests/worker/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using To = WorkerCore::To;

// Login, signs of life.

TEST(WorkerCore, LogsInAtOnceWithoutAJob) {
  Scene scene;
  scene.turn();
  const auto beats = scene.heard<Heartbeat>(To::producer);
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_TRUE(scene.last_job.is_none());
  EXPECT_EQ(scene.last_epoch, Epoch{0});
  EXPECT_EQ(beats[0].worker, Scene::kWorker);
  EXPECT_EQ(beats[0].name, "host:1");
  EXPECT_EQ(beats[0].slots, 4U);
  EXPECT_GT(beats[0].backlog, 0U);
  EXPECT_FALSE(beats[0].draining);
}

TEST(WorkerCore, BeatsEverySecondAndNumbersItsBeats) {
  Scene scene;
  scene.turn();
  const std::uint64_t first = scene.last_heartbeat().seq;
  scene.turn(999ms);
  EXPECT_TRUE(scene.heard<Heartbeat>(To::producer).empty());
  scene.turn(1ms);
  EXPECT_GT(scene.last_heartbeat().seq, first);
  EXPECT_TRUE(scene.heard<Bye>(To::collector).empty()) << "it has nothing to say to a collector";
}

TEST(WorkerCore, SpeaksInTheEpochOfItsSession) {
  Scene scene;
  Tasks message;
  message.seq = 1;
  message.settings = JobSettings();
  scene.producer_says(message, 0, Epoch{7});
  scene.turn();
  EXPECT_EQ(scene.last_heartbeat().received, set_of({{1, 1}}));
  EXPECT_EQ(scene.last_job, job_number(1));
  EXPECT_EQ(scene.last_epoch, Epoch{7});
}

TEST(WorkerCore, WaitsForTheCollectorWhileItsProducerDoes) {
  Scene scene;
  EXPECT_FALSE(scene.core.awaits_collector(0));
  scene.core.on_producer_message(0, {JobId{}, Epoch{}, Tasks{}}, scene.now);
  EXPECT_TRUE(scene.core.awaits_collector(0));
  Tasks message;
  message.seq = 1;
  message.settings = JobSettings();
  scene.producer_says(message);
  EXPECT_FALSE(scene.core.awaits_collector(0));
}

TEST(WorkerCore, DropsWhatMakesNoSense) {
  Scene scene;
  scene.producer_says(Acks{});
  scene.collector_says(Tasks{});
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
}

// Tasks.

TEST(WorkerCore, TakesNoTasksBeforeTheSettings) {
  Scene scene;
  Tasks bare;
  bare.seq = 1;
  bare.tasks.resize(1);
  scene.producer_says(bare);
  scene.turn();
  EXPECT_TRUE(scene.take_started().empty());
  EXPECT_TRUE(scene.last_heartbeat().received.empty()) << "or it would count as received";
  bare.settings = Scene::settings_of(0);
  scene.producer_says(bare);
  scene.turn();
  ASSERT_EQ(scene.opened.size(), 1U);
  EXPECT_EQ(scene.opened[0].settings.user_agent, "first");
  EXPECT_EQ(scene.take_started(), (Indices{0}));
  EXPECT_EQ(scene.running[0], scene.opened[0].job);
}

TEST(WorkerCore, OpensAJobOnce) {
  Scene scene;
  scene.hand_out({0});
  scene.hand_out({1});
  Tasks again;
  again.settings = Scene::settings_of(0);
  scene.producer_says(again);
  scene.turn();
  EXPECT_EQ(scene.opened.size(), 1U);
  EXPECT_EQ(scene.take_started(), (Indices{0, 1}));
}

TEST(WorkerCore, StartsAsManyAsItHasSlotsLowestIndexFirst) {
  Scene scene;
  scene.hand_out({9, 8, 7, 6, 5, 4});
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{4, 5, 6, 7}));
  EXPECT_EQ(scene.core.running(), 4U);
  EXPECT_EQ(scene.core.queued(), 2U);
  scene.finish(6);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{8}));
}

TEST(WorkerCore, RunsATaskOnceHoweverOftenItIsTold) {
  Scene scene;
  Tasks message;
  message.seq = 1;
  message.settings = JobSettings();
  message.tasks.resize(1);
  for (int i = 0; i < 3; ++i) scene.producer_says(message);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{0}));
  scene.finish(0);
  scene.producer_says(message);
  scene.turn();
  EXPECT_TRUE(scene.take_started().empty());
}

TEST(WorkerCore, IgnoresAnOlderEpochAndFollowsANewerOne) {
  Scene scene;
  Tasks message;
  message.seq = 1;
  message.settings = JobSettings();
  message.tasks.resize(1);
  scene.producer_says(message, 0, Epoch{5});
  scene.turn();
  message.tasks[0].index = 1;
  scene.producer_says(message, 0, Epoch{4});
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{0}));
  message.tasks[0].index = 2;
  scene.producer_says(message, 0, Epoch{6});
  scene.turn(1s);
  EXPECT_EQ(scene.take_started(), (Indices{2}));
  EXPECT_EQ(scene.last_heartbeat().received, set_of({{1, 1}}));
  EXPECT_EQ(scene.last_epoch, Epoch{6});
  EXPECT_EQ(scene.core.running(), 2U) << "what runs is not lost";
  EXPECT_TRUE(scene.closed.empty());
}

TEST(WorkerCore, DropsItsJobForAnotherOnTheSameLink) {
  Scene scene;
  scene.hand_out({0, 1});
  scene.turn();
  scene.finish(0);
  Tasks other;
  other.seq = 1;
  other.settings = Scene::settings_of(1);
  other.tasks.resize(1);
  scene.core.on_producer_message(0, {job_number(9), Epoch{1}, other}, scene.now);
  scene.turn(1s);
  ASSERT_EQ(scene.opened.size(), 2U);
  EXPECT_NE(scene.opened[0].job, scene.opened[1].job);
  EXPECT_EQ(scene.closed, (std::vector<JobSlot>{scene.opened[0].job}));
  EXPECT_EQ(scene.running[0], scene.opened[1].job);
  const Heartbeat heartbeat = scene.last_heartbeat();
  EXPECT_EQ(scene.last_job, job_number(9));
  EXPECT_TRUE(heartbeat.reports.empty()) << "the other job's";
  EXPECT_TRUE(scene.results().empty());
  scene.core.on_fetched({.job = scene.opened[0].job, .result = {}, .retry_after = {}});
  EXPECT_TRUE(scene.results().empty()) << "a straggler of the closed job";
  EXPECT_EQ(scene.core.running(), 1U);
}

// Reports and results.

TEST(WorkerCore, ReportsWhatIsFinishedWithinMilliseconds) {
  Scene scene;
  scene.hand_out({0, 1});
  scene.turn();
  (void)scene.heard<Heartbeat>(To::producer);
  EXPECT_FALSE(scene.core.has_reports());
  scene.finish(0);
  EXPECT_TRUE(scene.core.has_reports());
  scene.turn(1ms);
  EXPECT_TRUE(scene.heard<Heartbeat>(To::producer).empty()) << "not more often than that";
  EXPECT_EQ(scene.core.next_report_due(), scene.now + 1ms);
  scene.turn(1ms);
  const Heartbeat heartbeat = scene.last_heartbeat();
  ASSERT_EQ(heartbeat.reports.size(), 1U);
  EXPECT_EQ(heartbeat.reports[0].verdict, Report::Verdict::delivered);
  EXPECT_FALSE(scene.core.has_reports());
}

TEST(WorkerCore, RepeatsItsReportsEverySecondUntilTheyAreSeen) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.finish(0);
  scene.turn(2ms);
  EXPECT_EQ(scene.last_heartbeat().reports.size(), 1U);
  scene.turn(1s);
  EXPECT_EQ(scene.last_heartbeat().reports.size(), 1U);
  scene.see_reports(1);
  scene.turn(1s);
  const Heartbeat heartbeat = scene.last_heartbeat();
  EXPECT_TRUE(heartbeat.reports.empty());
  EXPECT_EQ(heartbeat.first_report, 2U);
}

TEST(WorkerCore, KeepsAResultUntilTheCollectorHasIt) {
  Scene scene;
  scene.hand_out({0, 1});
  scene.turn();
  scene.finish(0);
  scene.finish(1, Outcome::timeout, true);  // may pass: no result
  EXPECT_TRUE(scene.core.awaits_collector(0));
  EXPECT_EQ(scene.results(), (Indices{0}));
  EXPECT_GT(scene.core.held_bytes(), 0U);
  scene.turn(5s);
  EXPECT_EQ(scene.results(), (Indices{0})) << "no word for five seconds";
  scene.collector_says(scene.acks({{0, 0}}));
  EXPECT_FALSE(scene.core.awaits_collector(0));
  EXPECT_EQ(scene.core.held_bytes(), 0U);
  scene.turn(5s);
  EXPECT_TRUE(scene.results().empty());
}

TEST(WorkerCore, TakesBackAMessageThatCouldNotBeSent) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.finish(0);
  EXPECT_EQ(scene.results(), (Indices{0}));
  scene.core.results_not_sent(0);
  EXPECT_EQ(scene.results(), (Indices{0}));
}

TEST(WorkerCore, WantsNothingWhileItIsCutOffFromTheCollector) {
  Scene scene;
  scene.hand_out({0, 1, 2, 3, 4, 5});
  scene.turn();
  scene.finish(0);
  EXPECT_EQ(scene.results(), (Indices{0}));
  scene.core.results_not_sent(0);
  scene.turn();  // 4 takes the slot
  scene.turn(ResultOutbox::kCutOffAfter);
  Heartbeat last = scene.heard<Heartbeat>(To::producer).back();
  EXPECT_TRUE(last.cut_off);
  EXPECT_TRUE(last.draining);
  EXPECT_EQ(scene.core.queued(), 0U) << "5 is given back";
  EXPECT_EQ(scene.core.running(), 4U);
  scene.hand_out({6});
  EXPECT_EQ(scene.core.queued(), 0U);
  scene.turn(1s);
  EXPECT_EQ(scene.results(), (Indices{0})) << "it tries on";
  scene.collector_says(scene.acks({{0, 0}}));
  scene.turn(1s);
  last = scene.heard<Heartbeat>(To::producer).back();
  EXPECT_FALSE(last.cut_off);
  EXPECT_FALSE(last.draining);
  scene.hand_out({7});
  EXPECT_EQ(scene.core.queued(), 1U);
}

TEST(WorkerCore, KnowsThatItsCollectorHasAnotherJob) {
  Scene scene;
  scene.hand_out({0, 1});
  scene.turn();
  scene.finish(0);
  scene.collector_says(Refused{Refused::Reason::busy}, 0);
  EXPECT_TRUE(scene.core.collector_is_busy(0));
  EXPECT_TRUE(scene.core.awaits_collector(0)) << "what it has may be taken yet";
  scene.collector_says(scene.acks({{0, 0}}));
  EXPECT_FALSE(scene.core.collector_is_busy(0));
  const Refused late{Refused::Reason::busy};
  scene.core.on_collector_message(0, {job_number(9), Epoch{1}, late}, scene.now);
  EXPECT_FALSE(scene.core.collector_is_busy(0)) << "of a job that it had before";
}

TEST(WorkerCore, IgnoresAcknowledgementsOfAnotherJob) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.finish(0);
  scene.core.on_collector_message(0, {job_number(9), Epoch{1}, scene.acks({{0, 0}})}, scene.now);
  EXPECT_TRUE(scene.core.awaits_collector(0));
}

TEST(WorkerCore, StartsOnlyTheHeadWhileItHoldsTooMuch) {
  WorkerCore::Settings settings = Scene::default_settings();
  settings.held_bytes = 10'000;
  Scene scene(settings);
  scene.hand_out({5, 6, 7, 8, 9, 10});
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{5, 6, 7, 8}));
  EXPECT_EQ(scene.results(), Indices{});
  scene.finish(6, Outcome::ok, false, 20'000);
  EXPECT_EQ(scene.head(), 0U);
  scene.turn(1s);
  EXPECT_TRUE(scene.take_started().empty());
  const Heartbeat full = scene.last_heartbeat();
  EXPECT_EQ(full.slots, 0U);
  EXPECT_EQ(full.backlog, 0U);
  scene.hand_out({4});
  scene.collector_says(scene.acks({}, 4));
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{4}));
  EXPECT_EQ(scene.head(), 4U);
  scene.collector_says(scene.acks({{6, 6}}, 5));
  scene.turn(1s);
  EXPECT_EQ(scene.last_heartbeat().slots, 4U);
  EXPECT_TRUE(scene.take_started().empty()) << "4, 5, 7 and 8 run";
  scene.finish(5);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{9}));
}

TEST(WorkerCore, RunsAndWantsNoMoreThanItsSlotsAreNow) {
  Scene scene;
  scene.hand_out({0, 1, 2, 3, 4, 5});
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{0, 1, 2, 3}));
  scene.core.set_slots(2);
  scene.finish(0);
  scene.finish(1);
  scene.turn(1s);
  EXPECT_TRUE(scene.take_started().empty()) << "2 and 3 run";
  EXPECT_EQ(scene.last_heartbeat().slots, 2U);
  scene.finish(2);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{4}));
  scene.core.set_slots(4);
  scene.turn(1s);
  EXPECT_EQ(scene.take_started(), (Indices{5}));
  EXPECT_EQ(scene.last_heartbeat().slots, 4U);
}

TEST(WorkerCore, KeepsItsJobWhenAnotherComesWithoutSettings) {
  Scene scene;
  scene.hand_out({0});
  Tasks stray;
  stray.seq = 1;
  stray.tasks.emplace_back().index = 5;
  scene.core.on_producer_message(0, {job_number(9), Epoch{1}, stray}, scene.now);
  EXPECT_TRUE(scene.core.queued() + scene.core.running() == 1);
}

}  // namespace
}  // namespace fetchline
