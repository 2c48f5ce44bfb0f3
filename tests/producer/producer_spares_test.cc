// What the producer does about tasks that take too long, or that cannot reach the collector.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

// What must not be requested twice.

ProducerCore::Settings posting() {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.job_settings.method = "POST";
  return settings;
}

TEST(ProducerOnce, AbandonsAPostThatMayHaveBeenSent) {
  Scene scene(posting());
  scene.add_tasks(2);
  scene.open();
  scene.worker("a", 1);
  scene.turn();
  lose(scene);
  StubWorker& other = scene.worker("b", 5);
  scene.turn();
  EXPECT_EQ(other.indices(), (Indices{1}));
  const auto results = scene.results();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].outcome, Outcome::abandoned);
  EXPECT_EQ(results[0].errormsg, "may have been sent; --retry-unsafe repeats it");
}

TEST(ProducerOnce, RepeatsAPostWhenTheUserSaysSo) {
  ProducerCore::Settings settings = posting();
  settings.job_settings.retry_unsafe = true;
  Scene scene(settings);
  scene.add_tasks(1);
  scene.open();
  scene.worker("a", 1);
  scene.turn();
  lose(scene);
  StubWorker& other = scene.worker("b", 5);
  scene.turn();
  EXPECT_EQ(other.indices(), (Indices{0}));
}

TEST(ProducerOnce, HandsOutAPostAgainOnlyWhenItsMessageIsCertainlyLost) {
  Scene scene(posting());
  scene.open();
  StubWorker& worker = scene.worker("a", 5);
  scene.turn();
  worker.hears = false;
  scene.add_tasks(1);
  scene.turn();
  worker.hears = true;
  StubWorker& other = scene.worker("b", 0);
  scene.pass(3, {&worker, &other});
  EXPECT_TRUE(worker.tasks.empty()) << "it may arrive yet";
  EXPECT_GT(worker.messages.back().seq, 0U) << "this one will prove that it does not";
  scene.pass(1, {&worker, &other});
  EXPECT_EQ(worker.indices(), (Indices{0}));
}

// What a worker holds of before it was taken for dead.

// Two tasks run at `worker`, which was silent for too long, and a second worker has them now.
void lose_for_a_while(Scene& scene, StubWorker& worker, StubWorker& second) {
  worker.says.queued = IndexSet();
  worker.says.running = 2;
  scene.turn();
  scene.beat(worker);
  ASSERT_EQ(worker.indices(), (Indices{0, 1}));
  scene.pass(6, {&second});
  ASSERT_EQ(second.indices(), (Indices{0, 1}));
}

TEST(ProducerReturn, OffersNoSlotThatATaskOfBeforeTheBreakHas) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("lost", 2, 2);
  scene.turn();
  StubWorker& second = scene.worker("second", 2);
  lose_for_a_while(scene, worker, second);
  scene.add_tasks(8);
  scene.pass(2, {&worker, &second});
  EXPECT_EQ(worker.indices(), (Indices{0, 1})) << "its slots are taken";
  worker.says.running = 1;
  scene.pass(1, {&worker, &second});
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2, 3, 4})) << "a slot and the backlog";
}

TEST(ProducerReturn, OffersAllSlotsAgainWhenNothingOfBeforeTheBreakRuns) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("lost", 2);
  scene.turn();
  StubWorker& second = scene.worker("second", 2);
  lose_for_a_while(scene, worker, second);
  scene.add_tasks(8);
  worker.says.running = 0;
  scene.pass(1, {&worker, &second});
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2, 3}));
  worker.says.running = 2;
  scene.pass(2, {&worker, &second});
  worker.says.running = 1;
  scene.delivers(worker, 2);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1, 2, 3, 4})) << "what it runs is leased to it";
}

// Tasks that take too long.

// Holds two tasks and says that both run.
StubWorker& holder_of_two(Scene& scene) {
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("holder", 2);
  scene.turn();
  worker.says.queued = IndexSet();
  return worker;
}

TEST(ProducerDeadline, GivesATaskToAnotherWorkerWhenItsTimeIsLongUp) {
  Scene scene;
  StubWorker& hanging = holder_of_two(scene);
  StubWorker& busy = scene.worker("busy", 0);
  scene.pass(69, {&hanging, &busy});
  EXPECT_TRUE(busy.tasks.empty());
  scene.pass(2, {&hanging, &busy});
  EXPECT_EQ(busy.indices(), (Indices{0, 1})) << "whether it has room or not";
  StubWorker& third = scene.worker("third", 0);
  scene.pass(100, {&hanging, &busy, &third});
  EXPECT_EQ(busy.tasks.size(), 2U) << "two workers are enough";
  EXPECT_TRUE(third.tasks.empty());
  scene.delivers(busy, 0);
  scene.delivers(hanging, 0);
  scene.delivers(hanging, 1);
  EXPECT_EQ(scene.core.in_flight(), 0U);
}

TEST(ProducerDeadline, CountsOnlyWhileTheTaskMayRun) {
  Scene scene;
  StubWorker& slow = holder_of_two(scene);
  slow.says.queued = set_of({{1, 1}});
  StubWorker& other = scene.worker("other", 0);
  scene.pass(90, {&slow, &other});
  EXPECT_EQ(other.indices(), (Indices{0}));
  slow.says.queued = IndexSet();
  scene.pass(69, {&slow, &other});
  EXPECT_EQ(other.indices(), (Indices{0}));
  scene.pass(3, {&slow, &other});
  EXPECT_EQ(other.indices(), (Indices{0, 1}));
}

TEST(ProducerDeadline, IsTheTasksOwnWhenItHasOne) {
  Scene scene;
  Task task;
  task.max_time = 2s;
  task.body.emplace(1, 'x');  // not to be run twice for being slow
  task.method = "PUT";
  scene.core.add(std::move(task));
  StubWorker& hanging = holder_of_two(scene);
  StubWorker& other = scene.worker("other", 5);
  other.says.queued = IndexSet();
  scene.pass(11, {&hanging, &other});
  const std::size_t before = other.tasks.size();
  scene.pass(3, {&hanging, &other});
  ASSERT_EQ(other.tasks.size(), before + 1);
  EXPECT_EQ(other.tasks.back().index, 0U);
}

TEST(ProducerDeadline, IsNoneWithoutATimeLimitOrWhenTheWorkerDoesNotSayWhatWaits) {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.job_settings.max_time = 0ms;
  for (const bool tells : {true, false}) {
    Scene scene(tells ? settings : Scene::default_settings());
    StubWorker& hanging = holder_of_two(scene);
    if (!tells) hanging.says.queued.reset();
    StubWorker& other = scene.worker("other", 0);
    scene.pass(1000, {&hanging, &other});
    EXPECT_TRUE(other.tasks.empty());
  }
}

TEST(ProducerDeadline, AbandonsWhatMustNotBeRequestedTwice) {
  Scene scene(posting());
  StubWorker& hanging = holder_of_two(scene);
  scene.pass(72, {&hanging});
  EXPECT_EQ(scene.results().size(), 2U);
  EXPECT_EQ(scene.core.in_flight(), 0U);
}

// Idle slots in the tail.

TEST(ProducerSpares, GiveTheTailToIdleSlotsWhenItIsSlow) {
  Scene scene;
  StubWorker& slow = holder_of_two(scene);
  StubWorker& idle = scene.worker("idle", 5);
  scene.core.end_of_input();
  scene.pass(4, {&slow, &idle});
  EXPECT_TRUE(idle.tasks.empty());
  scene.pass(2, {&slow, &idle});
  EXPECT_EQ(idle.indices(), (Indices{0})) << "the head; the share of others is not earned yet";
  scene.delivers(idle, 0);
  scene.delivers(slow, 0);
  EXPECT_EQ(scene.core.in_flight(), 1U);
}

TEST(ProducerSpares, GiveTheHeadToIdleSlotsBeforeTheInputHasEnded) {
  Scene scene;
  StubWorker& slow = holder_of_two(scene);
  StubWorker& idle = scene.worker("idle", 5);
  scene.pass(6, {&slow, &idle});
  EXPECT_EQ(idle.indices(), (Indices{0}));
}

// Its slots may be full of transfers that hang.
TEST(ProducerSpares, GiveToIdleSlotsWhatWaitsInAQueue) {
  Scene scene;
  StubWorker& stuck = holder_of_two(scene);
  stuck.says.queued = set_of({{0, 1}});
  StubWorker& idle = scene.worker("idle", 5);
  scene.core.end_of_input();
  scene.pass(4, {&stuck, &idle});
  EXPECT_TRUE(idle.tasks.empty());
  scene.pass(2, {&stuck, &idle});
  EXPECT_EQ(idle.indices(), (Indices{0}));
}

TEST(ProducerSpares, TakeTheHeadOutOfAQueueEvenWhereNobodyIsIdle) {
  for (const bool queued : {true, false}) {
    Scene scene;
    StubWorker& holder = holder_of_two(scene);
    if (queued) holder.says.queued = set_of({{0, 1}});
    StubWorker& busy = scene.worker("busy", 1);
    scene.add_tasks(10);
    scene.turn();
    scene.pass(4, {&holder, &busy});
    EXPECT_EQ(busy.indices(), (Indices{2}));
    scene.pass(50, {&holder, &busy});
    EXPECT_EQ(busy.indices(), queued ? (Indices{2, 0}) : (Indices{2})) << "what runs stays";
  }
}

TEST(ProducerSpares, AreAFewOfManyTasks) {
  Scene scene;
  scene.add_tasks(1000);
  scene.open();
  StubWorker& slow = scene.worker("slow", 1000);
  scene.turn();
  scene.core.end_of_input();
  StubWorker& idle = scene.worker("idle", 1000);
  scene.pass(60, {&slow, &idle});
  EXPECT_EQ(idle.tasks.size(), 20U);
  EXPECT_EQ(idle.tasks[0].index, 0U);
}

TEST(ProducerSpares, AreNoMoreWhenTheTasksWereHandedOutOften) {
  Scene scene;
  scene.add_tasks(100);
  scene.open();
  StubWorker& slow = scene.worker("slow", 100);
  scene.turn();
  for (int times = 0; times < 10; ++times) {
    for (Index index = 0; index < 100; ++index) scene.returns(slow, index);
    scene.turn();
  }
  ASSERT_EQ(slow.tasks.size(), 1100U);
  scene.core.end_of_input();
  StubWorker& idle = scene.worker("idle", 1000);
  scene.pass(60, {&slow, &idle});
  EXPECT_EQ(idle.tasks.size(), 2U) << "2 % of a hundred tasks";
}

TEST(ProducerSpares, WaitUntilATaskIsSlowForThisJob) {
  Scene scene;
  scene.add_tasks(22);
  scene.open();
  StubWorker& slow = scene.worker("slow", 22);
  scene.turn();
  scene.core.end_of_input();
  StubWorker& idle = scene.worker("idle", 5);
  scene.pass(4, {&slow, &idle});
  for (Index index = 2; index < 22; ++index) scene.delivers(slow, index);
  scene.pass(7, {&slow, &idle});
  EXPECT_TRUE(idle.tasks.empty()) << "others took 4 s";
  scene.pass(3, {&slow, &idle});
  EXPECT_EQ(idle.indices(), (Indices{0}));
}

TEST(ProducerSpares, AreForGetAndHeadOnly) {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.job_settings.method = "PUT";
  Scene scene(settings);
  StubWorker& slow = holder_of_two(scene);
  StubWorker& idle = scene.worker("idle", 5);
  scene.core.end_of_input();
  scene.pass(60, {&slow, &idle});
  EXPECT_TRUE(idle.tasks.empty());
}

TEST(ProducerSpares, DoNotMakeAThirdRunWhenOneOfTwoFails) {
  Scene scene;
  StubWorker& slow = holder_of_two(scene);
  StubWorker& idle = scene.worker("idle", 5);
  scene.pass(6, {&slow, &idle});
  ASSERT_EQ(idle.indices(), (Indices{0}));
  scene.report(slow, {0, 1, Report::Verdict::retry, Outcome::timeout, {}});
  EXPECT_FALSE(scene.core.next_due());
  EXPECT_EQ(scene.core.in_flight(), 2U) << "the other task, and the other lease";
  scene.report(idle, {0, 1, Report::Verdict::retry, Outcome::timeout, {}});
  EXPECT_TRUE(scene.core.next_due());
}

// One of two workers delivers 0 and says that it cannot reach the collector.
struct CutOff : Scene {
  CutOff() {
    add_tasks(2);
    open();
    stuck = &worker("stuck", 1);
    turn();
    other = &worker("other", 1);
    turn();
    delivers(*stuck, 0);
    stuck->says.cut_off = stuck->says.draining = true;
  }
  StubWorker* stuck = nullptr;
  StubWorker* other = nullptr;
};

TEST(ProducerCutOff, GivesToOthersWhatCannotReachTheCollector) {
  CutOff scene;
  scene.delivers(*scene.other, 1);
  for (int second = 0; second < 6; ++second) {
    scene.collector_says(scene.next_state());
    scene.pass(1, {scene.stuck, scene.other});
  }
  EXPECT_EQ(scene.other->indices(), (Indices{1, 0}));
  EXPECT_EQ(scene.stuck->indices(), (Indices{0}));
}

TEST(ProducerCutOff, WaitsWhenTheCollectorIsAwayOrHasJustComeBack) {
  CutOff scene;
  scene.delivers(*scene.other, 1);
  scene.pass(6, {scene.stuck, scene.other});
  EXPECT_EQ(scene.other->indices(), (Indices{1})) << "away";
  for (int second = 0; second < 4; ++second) {
    scene.collector_says(scene.next_state());
    scene.pass(1, {scene.stuck, scene.other});
  }
  EXPECT_EQ(scene.other->indices(), (Indices{1})) << "just back: the worker may find it, too";
}

TEST(ProducerSpares, LendsNothingBeyondTheLimitThatHasShrunk) {
  Scene scene;
  scene.open();
  scene.add_tasks(4);
  StubWorker& a = scene.worker("a", 4);
  scene.turn();
  StubWorker& b = scene.worker("b", 4);
  a.says.queued.emplace();                       // tells what it queues
  scene.collector_says(scene.next_state(0, 0));  // a collector that drains
  scene.pass(75, {&a, &b});
  EXPECT_TRUE(b.tasks.empty());
}

}  // namespace
}  // namespace fetchline
