// How a worker ends: with its job, or when it is told to leave.
#include <gtest/gtest.h>

#include "tests/worker/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using To = WorkerCore::To;

// Done.

TEST(WorkerCore, EndsWithItsJob) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  EXPECT_FALSE(scene.core.over());
  scene.producer_says(Done{});
  EXPECT_TRUE(scene.core.over());
  for (const To to : {To::producer, To::collector}) {
    const auto byes = scene.heard<Bye>(to);
    ASSERT_EQ(byes.size(), 1U);
    EXPECT_EQ(byes[0].worker, Scene::kWorker);
    EXPECT_EQ(scene.last_job, job_number(1));
  }
  EXPECT_EQ(scene.closed.size(), 1U);
  EXPECT_EQ(scene.core.running(), 0U);
}

TEST(WorkerCore, BelievesTheCollectorThatItsJobIsDone) {
  Scene scene;
  scene.hand_out({0});
  scene.collector_says(Done{});
  EXPECT_TRUE(scene.core.over());
}

TEST(WorkerCore, AnswersEveryDoneWithABye) {
  Scene scene;
  scene.hand_out({0});
  scene.producer_says(Done{});
  scene.collector_says(Done{});
  EXPECT_EQ(scene.heard<Bye>(To::producer).size(), 2U);
  EXPECT_EQ(scene.heard<Bye>(To::collector).size(), 2U);
}

TEST(WorkerCore, IsNotEndedByAnotherJobsDone) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.core.on_producer_message(0, {job_number(9), Epoch{1}, Done{}}, scene.now);
  EXPECT_FALSE(scene.core.over());
  EXPECT_EQ(scene.core.running(), 1U);
}

TEST(WorkerCore, EndsWhenTheJobWasDoneBeforeItCame) {
  Scene scene;
  scene.turn();
  scene.producer_says(Done{});
  EXPECT_TRUE(scene.core.over());
}

TEST(WorkerCore, TakesNothingMoreWhenItIsOver) {
  Scene scene;
  scene.hand_out({});
  scene.producer_says(Done{});
  Tasks late;
  late.seq = 1;
  late.settings = JobSettings();
  late.tasks.resize(1);
  scene.producer_says(late);
  scene.turn(5s);
  EXPECT_TRUE(scene.take_started().empty());
  EXPECT_EQ(scene.opened.size(), 1U);
  EXPECT_TRUE(scene.heard<Heartbeat>(To::producer).empty());
}

TEST(WorkerCore, StaysForTheNextJobWhenItIsToBeKeptAlive) {
  WorkerCore::Settings settings = Scene::default_settings();
  settings.keep_alive = true;
  Scene scene(settings);
  scene.hand_out({0});
  scene.turn();
  scene.producer_says(Done{});
  EXPECT_FALSE(scene.core.over());
  scene.turn(1s);
  EXPECT_TRUE(scene.last_heartbeat().received.empty());
  EXPECT_TRUE(scene.last_job.is_none()) << "a login";
  Tasks next;
  next.seq = 1;
  next.settings = JobSettings();
  next.tasks.resize(1);
  next.tasks[0].index = 3;
  scene.core.on_producer_message(0, {job_number(9), Epoch{1}, next}, scene.now);
  (void)scene.take_started();
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{3}));
}

// Drain.

TEST(WorkerCore, GivesBackWhatWaitsAndFinishesWhatRunsWhenDraining) {
  Scene scene;
  scene.hand_out({0, 1, 2, 3, 4, 5});
  scene.turn();
  (void)scene.heard<Heartbeat>(To::producer);
  scene.core.drain();
  scene.turn(1ms);
  const Heartbeat heartbeat = scene.last_heartbeat();
  EXPECT_TRUE(heartbeat.draining) << "said at once";
  ASSERT_EQ(heartbeat.reports.size(), 2U);
  EXPECT_EQ(heartbeat.reports[0].index, 4U);
  EXPECT_EQ(heartbeat.reports[1].index, 5U);
  for (const Report& report : heartbeat.reports) {
    EXPECT_EQ(report.verdict, Report::Verdict::returned);
  }
  EXPECT_EQ(scene.core.running(), 4U);
  EXPECT_EQ(scene.core.queued(), 0U);
  EXPECT_FALSE(scene.core.over());
}

TEST(WorkerCore, LeavesWhenEverythingItHadIsKnown) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.core.drain();
  scene.finish(0);
  scene.turn();
  EXPECT_EQ(scene.results(), (Indices{0}));
  EXPECT_FALSE(scene.core.over());
  scene.collector_says(scene.acks({{0, 0}}));
  scene.turn();
  EXPECT_FALSE(scene.core.over()) << "the producer has not seen the report";
  scene.see_reports(1);
  scene.turn();
  EXPECT_TRUE(scene.core.over());
  scene.turn(1s);
  EXPECT_EQ(scene.heard<Bye>(To::producer).size(), 1U);
  EXPECT_EQ(scene.heard<Bye>(To::collector).size(), 1U);
}

TEST(WorkerCore, GivesBackWhatComesWhileItDrains) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.core.drain();
  scene.hand_out({1});
  scene.turn(1s);
  (void)scene.take_started();
  EXPECT_EQ(scene.core.queued(), 0U);
  const Heartbeat heartbeat = scene.last_heartbeat();
  ASSERT_EQ(heartbeat.reports.size(), 1U);
  EXPECT_EQ(heartbeat.reports[0].index, 1U);
  EXPECT_EQ(heartbeat.reports[0].verdict, Report::Verdict::returned);
}

TEST(WorkerCore, GivesBackWhatWasCancelledWhileDraining) {
  Scene scene;
  scene.hand_out({0});
  scene.turn();
  scene.core.drain();
  scene.finish(0, Outcome::cancelled);
  scene.turn(1s);
  EXPECT_EQ(scene.last_heartbeat().reports.at(0).verdict, Report::Verdict::returned);
  EXPECT_TRUE(scene.results().empty());
  scene.see_reports(1);
  scene.turn();
  EXPECT_TRUE(scene.core.over());
}

TEST(WorkerCore, LeavesAtOnceWhenItHasNothing) {
  Scene scene;
  scene.core.drain();
  scene.turn();
  EXPECT_TRUE(scene.core.over());
}

TEST(WorkerCore, LeavesEvenWhenItIsToBeKeptAlive) {
  WorkerCore::Settings settings = Scene::default_settings();
  settings.keep_alive = true;
  Scene scene(settings);
  scene.hand_out({});
  scene.turn();
  scene.core.drain();
  scene.turn();
  EXPECT_TRUE(scene.core.over());
  EXPECT_EQ(scene.heard<Bye>(To::producer).size(), 1U);
}

}  // namespace
}  // namespace fetchline
