// Messages and workers that are lost, come back, move or leave.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

TEST(ProducerWorkers, HandsOutAgainWhatAnOvertakenMessageCarried) {
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

TEST(ProducerWorkers, HandsOutAgainTheLastMessageWhenItIsNotConfirmedInThreeSeconds) {
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

TEST(ProducerWorkers, GivesTheTasksOfASilentWorkerToOthersAfterFiveSeconds) {
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

TEST(ProducerWorkers, GoesOnWithAWorkerThatWasSilentWhereItLeftOff) {
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

TEST(ProducerWorkers, KeepsAWorkerThatOnlySaysItIsAlive) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& slow = scene.worker("slow", 1);
  StubWorker& idle = scene.worker("idle", 0);
  scene.pass(60, {&slow, &idle});
  EXPECT_EQ(slow.indices(), (Indices{0}));
  EXPECT_TRUE(idle.tasks.empty());
}

TEST(ProducerWorkers, FollowsAWorkerToItsNewConnection) {
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

TEST(ProducerWorkers, GivesWhatADrainingWorkerReturnsToOthers) {
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

TEST(ProducerWorkers, GivesWhatADepartedWorkerStillHeldToOthers) {
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

}  // namespace
}  // namespace fetchline
