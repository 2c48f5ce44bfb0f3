// What the producer makes of peers that begin anew: a collector process, an epoch, a worker's
// session.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using Indices = std::vector<Index>;
using Phase = ProducerCore::Phase;

State reborn(Scene& scene, Index watermark) {
  State state = scene.next_state(watermark);
  state.boot = BootId{6};
  return state;
}

TEST(ProducerRestarts, EndsWhenACollectorForgotWhatItHeldBehindAnOpenHead) {
  Scene scene;
  scene.add_tasks(5);
  State state = scene.next_state(0);
  state.committed = set_of({{1, 3}});
  scene.collector_says(state);
  scene.collector_says(reborn(scene, 0));
  EXPECT_EQ(scene.core.phase(), Phase::forgotten);
}

// A State that nobody asked for says not what is committed beyond its watermark.
TEST(ProducerRestarts, JudgesACollectorOnlyByAWholeState) {
  Scene scene;
  scene.add_tasks(5);
  State state = scene.next_state(0);
  state.committed = set_of({{1, 3}});
  scene.collector_says(state);
  State partial = reborn(scene, 0);
  partial.whole = false;
  scene.collector_says(partial);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  State whole = reborn(scene, 0);
  whole.committed = state.committed;
  scene.collector_says(whole);
  EXPECT_EQ(scene.core.phase(), Phase::running);
}

TEST(ProducerRestarts, EndsWhenWhatWasHandedOutMayBeLostWithACollectorThatIsGone) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  ASSERT_FALSE(worker.tasks.empty());
  scene.collector_says(reborn(scene, 0));
  EXPECT_EQ(scene.core.phase(), Phase::forgotten) << "a report may be late";
}

// A collector that starts anew on the log it had: what it says it has may lag.
TEST(ProducerRestarts, LosesAndRepeatsNothingWhenTheCollectorKeptItsLog) {
  Scene scene;
  scene.add_tasks(5);
  State state = scene.next_state(1);
  state.log = 3;
  state.committed = set_of({{2, 2}});
  scene.collector_says(state);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  scene.delivers(worker, 1);
  worker.tasks.clear();
  State again = reborn(scene, 1);
  again.log = 3;
  scene.collector_says(again);
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::running);
  EXPECT_TRUE(worker.tasks.empty());
}

// A finished output is found again without the log that it was made with.
TEST(ProducerRestarts, TakesWhatACollectorSaidBeforeItStartedAnewForNoOtherLog) {
  Scene scene;
  scene.add_tasks(3);
  State before = scene.next_state(1);
  before.log = 3;
  scene.collector_says(before);
  State finished = reborn(scene, 3);
  finished.total = 3;
  scene.collector_says(finished);
  before.seq += 5;
  before.watermark = 2;
  scene.collector_says(before);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  EXPECT_EQ(scene.core.watermark(), 3U) << "the newer word stands";
}

TEST(ProducerRestarts, NorWhenTheFinishedOutputWasHeardFirst) {
  Scene scene;
  scene.add_tasks(3);
  State finished = reborn(scene, 3);
  finished.total = 3;
  scene.collector_says(finished);
  State before = scene.next_state(1);
  before.log = 3;
  scene.collector_says(before);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  EXPECT_EQ(scene.core.watermark(), 3U);
}

TEST(ProducerRestarts, ForgetsNothingOverALateWordOfACollectorWithoutALog) {
  Scene scene;
  const State before = scene.next_state(0);
  scene.collector_says(before);
  scene.collector_says(reborn(scene, 0));
  scene.add_tasks(1);
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  ASSERT_EQ(worker.indices(), Indices{0});
  scene.collector_says(before);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  scene.now += ProducerCore::kLateState;
  scene.collector_says(before);
  EXPECT_EQ(scene.core.phase(), Phase::forgotten) << "it speaks again: it has taken the place";
}

TEST(ProducerRestarts, EndsWhenACollectorWithAnotherLogMayLackWhatWasDelivered) {
  Scene scene;
  scene.add_tasks(1);
  State state = scene.next_state(0);
  state.log = 3;
  scene.collector_says(state);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  scene.delivers(worker, 0);
  worker.tasks.clear();
  State other = reborn(scene, 0);
  other.log = 4;
  scene.collector_says(other);
  EXPECT_EQ(scene.core.phase(), Phase::forgotten);
}

TEST(ProducerRestarts, EndsWhenACollectorWithAnotherLogLacksWhatWasCommitted) {
  Scene scene;
  scene.add_tasks(2);
  State state = scene.next_state(1);
  state.log = 3;
  scene.collector_says(state);
  State other = reborn(scene, 0);
  other.log = 4;
  scene.collector_says(other);
  EXPECT_EQ(scene.core.phase(), Phase::forgotten);
}

TEST(ProducerRestarts, BeginsASessionAnewWithAWorkerThatLostItsOwn) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.beat(worker);  // confirms the message
  ASSERT_EQ(worker.indices(), (Indices{0}));
  worker.job = JobId{};
  worker.epoch = Epoch{};
  worker.says.received.clear();
  worker.tasks.clear();
  worker.messages.clear();
  scene.beat(worker);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0}));
  ASSERT_FALSE(worker.messages.empty());
  EXPECT_TRUE(worker.messages[0].settings.has_value());
}

TEST(ProducerRestarts, TakesNoLateLoginForALostSession) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  const Heartbeat login = worker.says;
  scene.turn();
  scene.beat(worker);
  worker.tasks.clear();
  scene.core.on_worker_message("a", {JobId{}, Epoch{}, login}, scene.now);
  scene.turn();
  EXPECT_TRUE(worker.tasks.empty());
}

TEST(ProducerRestarts, HandsOutEverythingAgainInANewEpoch) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  scene.beat(worker);
  worker.tasks.clear();
  scene.collector_says(scene.next_state(0), Epoch{2});
  worker.says.received.clear();
  scene.beat(worker);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST(ProducerRestarts, LetsAWorkerGoThatNeverHadASession) {
  Scene scene;
  StubWorker& worker = scene.worker("a", 2);
  scene.leaves(worker);  // of no job
  EXPECT_EQ(scene.core.worker_count(), 0U);
}

}  // namespace
}  // namespace fetchline
