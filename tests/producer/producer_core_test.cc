// The producer and its collector: opening, the end of the input, Done, and what may go wrong.
#include "producer/producer_core.h"

#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using Phase = ProducerCore::Phase;

Done one_ok() {
  Done done;
  done.counts[0] = 1;
  return done;
}

TEST(ProducerCore, AsksForTheJobAtOnceAndThenEverySecond) {
  Scene scene;
  scene.turn();
  const auto opens = scene.heard_by_collector<Open>();
  ASSERT_EQ(opens.size(), 1U);
  EXPECT_EQ(opens[0].nonce, Scene::kNonce);
  scene.turn(999ms);
  EXPECT_TRUE(scene.heard_by_collector<Open>().empty());
  scene.turn(1ms);
  EXPECT_EQ(scene.heard_by_collector<Open>().size(), 1U);
  EXPECT_EQ(scene.core.phase(), Phase::opening);
}

TEST(ProducerCore, AsksForTheWholeStateEverySecondWhileItRuns) {
  Scene scene;
  scene.open();
  scene.pass(5, {});
  EXPECT_EQ(scene.core.phase(), Phase::running);
  EXPECT_EQ(scene.heard_by_collector<Open>().size(), 5U);
}

TEST(ProducerCore, SpeaksInTheEpochItWasGranted) {
  Scene scene;
  scene.add_tasks(1);
  StubWorker& worker = scene.worker("a", 1);
  scene.collector_says(scene.next_state(), Epoch{9});
  scene.turn();
  EXPECT_EQ(worker.epoch, Epoch{9});
  EXPECT_EQ(scene.to_collector.back().epoch, Epoch{9});
}

TEST(ProducerCore, IgnoresAStateMeantForAnotherProducerProcess) {
  Scene scene;
  State state = scene.next_state();
  state.nonce = Scene::kNonce + 1;
  scene.collector_says(state);
  EXPECT_EQ(scene.core.phase(), Phase::opening);
}

TEST(ProducerCore, DropsWhatIsOfAnotherJobOrMakesNoSense) {
  Scene scene;
  scene.collector_says(scene.next_state(), Epoch{1}, job_number(2));
  EXPECT_EQ(scene.core.phase(), Phase::opening);
  EXPECT_EQ(scene.core.dropped_messages(), 1U);
  EXPECT_EQ(scene.core.collector_heard(), Instant{});
  scene.collector_says(Open{});
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
  scene.core.on_worker_message("x", {job_number(1), Epoch{1}, Results{}}, scene.now);
  EXPECT_EQ(scene.core.dropped_messages(), 3U);
  scene.core.on_worker_message("x", {job_number(2), Epoch{1}, Bye{WorkerId{1}}}, scene.now);
  EXPECT_EQ(scene.core.dropped_messages(), 3U) << "a late word to the producer before makes sense";
}

TEST(ProducerCore, KnowsWhenItHeardFromTheCollector) {
  Scene scene;
  scene.now += 5s;
  scene.open();
  EXPECT_EQ(scene.core.collector_heard(), scene.now);
}

TEST(ProducerCore, TakesTheFactsButNotTheLimitsOfAnOvertakenState) {
  Scene scene;
  scene.add_tasks(10);
  State old = scene.next_state(0, 10);
  old.committed = set_of({{1, 1}});
  scene.collector_says(scene.next_state(0, 3));
  scene.collector_says(old);
  StubWorker& worker = scene.worker("a", 100);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 2}));
}

TEST(ProducerCore, NeverHandsOutWhatTheCollectorHasAlready) {
  Scene scene;
  scene.add_tasks(6);
  State state = scene.next_state(2);
  state.committed = set_of({{3, 4}});
  scene.collector_says(state);
  StubWorker& worker = scene.worker("a", 100);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{2, 5}));
  EXPECT_EQ(scene.core.watermark(), 2U);
}

// The end of the input.

TEST(ProducerCore, SaysTheEndEverySecondUntilItIsKnown) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  scene.turn();
  EXPECT_TRUE(scene.heard_by_collector<End>().empty()) << "the input goes on";
  scene.core.end_of_input();
  scene.turn();
  const auto ends = scene.heard_by_collector<End>();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].total, 3U);
  scene.pass(3, {});
  EXPECT_EQ(scene.heard_by_collector<End>().size(), 3U);
  State known = scene.next_state();
  known.total = 3;
  scene.collector_says(known);
  scene.pass(3, {});
  EXPECT_TRUE(scene.heard_by_collector<End>().empty());
}

TEST(ProducerCore, SaysTheEndOfAnEmptyInput) {
  Scene scene;
  scene.core.end_of_input();
  scene.turn();
  EXPECT_TRUE(scene.heard_by_collector<End>().empty()) << "not before an epoch is granted";
  scene.open();
  scene.turn();
  const auto ends = scene.heard_by_collector<End>();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].total, 0U);
}

TEST(ProducerCore, SaysTheEndAgainToACollectorThatDoesNotKnowItAnyMore) {
  Scene scene;
  scene.core.end_of_input();
  State known = scene.next_state();
  known.total = 0;
  scene.collector_says(known);
  scene.pass(2, {});
  EXPECT_TRUE(scene.heard_by_collector<End>().empty());
  State reborn = scene.next_state();
  reborn.boot = BootId{6};
  scene.collector_says(reborn);
  scene.turn();
  EXPECT_EQ(scene.heard_by_collector<End>().size(), 1U);
}

// Done and farewell.

TEST(ProducerCore, TellsEverybodyWhenTheJobIsDone) {
  Scene scene;
  scene.add_tasks(1);
  scene.core.end_of_input();
  scene.open();
  StubWorker& a = scene.worker("a", 1);
  StubWorker& b = scene.worker("b", 1);
  scene.turn();
  scene.collector_says(one_ok());
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::done);
  EXPECT_EQ(scene.core.counts(), one_ok().counts);
  ASSERT_EQ(a.done.size(), 1U);
  EXPECT_EQ(a.done[0].counts, one_ok().counts);
  EXPECT_EQ(b.done.size(), 1U);
  const auto byes = scene.heard_by_collector<Bye>();
  ASSERT_EQ(byes.size(), 1U);
  EXPECT_EQ(byes[0].worker, WorkerId{});
}

TEST(ProducerCore, IsOverWhenEveryWorkerSaidBye) {
  Scene scene;
  scene.open();
  StubWorker& a = scene.worker("a", 1);
  StubWorker& b = scene.worker("b", 1);
  scene.turn();
  scene.beat(a);
  scene.beat(b);
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.collector_says(Done{});
  scene.turn(1s);
  scene.leaves(a);
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.leaves(b);
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(ProducerCore, StaysASecondForWorkersThatComeTooLate) {
  Scene scene;
  scene.open();
  scene.collector_says(Done{});
  EXPECT_FALSE(scene.core.over(scene.now));
  StubWorker& late = scene.worker("late", 1);
  scene.turn();
  EXPECT_EQ(late.done.size(), 1U);
  EXPECT_TRUE(scene.core.over(scene.now + 1s));
}

TEST(ProducerCore, WaitsNoLongerThanFiveSecondsForWorkersThatSayNoBye) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.beat(worker);
  scene.collector_says(Done{});
  scene.pass(4, {&worker});
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.pass(1, {&worker});
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(ProducerCore, WaitsForNoStrangerThatSaidHelloAndWent) {
  Scene scene;
  scene.open();
  scene.worker("stranger", 1);
  scene.turn();
  scene.collector_says(Done{});
  EXPECT_TRUE(scene.core.over(scene.now + 1s));
}

TEST(ProducerCore, WaitsForNoWorkerWhoseConnectionIsGone) {
  Scene scene;
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.beat(worker);
  scene.core.worker_unreachable("a", scene.now);
  scene.collector_says(Done{});
  EXPECT_FALSE(scene.core.over(scene.now + 1s)) << "it may have come back";
  scene.core.worker_unreachable("a", scene.now);
  EXPECT_TRUE(scene.core.over(scene.now + 1s));
}

TEST(ProducerCore, TellsAWorkerThatItIsThereBeforeTheCollectorIs) {
  Scene scene;
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  EXPECT_EQ(scene.answered_logins, 1U);
  scene.turn();
  EXPECT_EQ(scene.answered_logins, 1U);
  scene.beat(worker);
  scene.turn();
  EXPECT_EQ(scene.answered_logins, 2U);
}

TEST(ProducerCore, AnswersEveryHeartbeatWithDoneOnceItIsDone) {
  Scene scene;
  scene.open();
  StubWorker& known = scene.worker("a", 1);
  scene.collector_says(one_ok());
  scene.turn();
  EXPECT_EQ(known.done.size(), 1U);
  scene.beat(known);
  StubWorker& late = scene.worker("late", 1);
  scene.turn();
  EXPECT_EQ(known.done.size(), 2U);
  EXPECT_EQ(late.done.size(), 1U);
  EXPECT_EQ(scene.core.worker_count(), 1U) << "who comes now is not waited for";
}

TEST(ProducerCore, SaysByeToEveryDone) {
  Scene scene;
  scene.open();
  scene.collector_says(one_ok());
  scene.collector_says(Done{});
  scene.turn();
  EXPECT_EQ(scene.heard_by_collector<Bye>().size(), 2U);
  EXPECT_EQ(scene.core.counts(), one_ok().counts);
}

TEST(ProducerCore, AsksForNothingMoreOnceItIsDone) {
  Scene scene;
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.collector_says(Done{});
  scene.pass(3, {&worker});
  EXPECT_TRUE(scene.heard_by_collector<Open>().empty());
  EXPECT_TRUE(worker.tasks.empty());
}

// What may go wrong with a collector.

TEST(ProducerCore, EndsWhenANewerProducerTookOver) {
  Scene scene;
  scene.open();
  scene.collector_says(Refused{Refused::Reason::fenced});
  EXPECT_EQ(scene.core.phase(), Phase::fenced);
  scene.to_collector.clear();
  scene.pass(3, {});
  EXPECT_TRUE(scene.to_collector.empty());
  scene.core.on_worker_message("a", {{}, {}, Heartbeat{}}, scene.now);
  scene.turn();
  EXPECT_EQ(scene.core.worker_count(), 0U);
}

TEST(ProducerCore, IsNotFencedOnceItIsDone) {
  Scene scene;
  scene.open();
  scene.collector_says(Done{});
  scene.collector_says(Refused{Refused::Reason::fenced});
  EXPECT_EQ(scene.core.phase(), Phase::done);
}

TEST(ProducerCore, WaitsForABusyCollector) {
  Scene scene;
  scene.collector_says(Refused{Refused::Reason::busy});
  EXPECT_TRUE(scene.core.collector_is_busy());
  EXPECT_EQ(scene.core.phase(), Phase::opening);
  scene.pass(3, {});
  EXPECT_EQ(scene.heard_by_collector<Open>().size(), 3U);
  scene.open();
  EXPECT_FALSE(scene.core.collector_is_busy());
  EXPECT_EQ(scene.core.phase(), Phase::running);
}

TEST(ProducerCore, EndsWhenTheCollectorForgotWhatItHadPutOut) {
  Scene scene;
  scene.add_tasks(5);
  scene.collector_says(scene.next_state(3));
  State reborn = scene.next_state(2);
  reborn.boot = BootId{6};
  scene.collector_says(reborn);
  EXPECT_EQ(scene.core.phase(), Phase::forgotten);
}

TEST(ProducerCore, GoesOnWithANewCollectorProcessThatKnowsEverything) {
  Scene scene;
  scene.add_tasks(5);
  scene.collector_says(scene.next_state(3));
  State reborn = scene.next_state(1);
  reborn.boot = BootId{6};
  reborn.seq = 1;  // it counts anew
  reborn.committed = set_of({{1, 3}});
  reborn.dispatch_limit = 5;
  scene.collector_says(reborn);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{4}));
}

TEST(ProducerCore, GoesOnWithANewCollectorProcessWhenNothingWasHandedOut) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  scene.turn();
  State reborn = scene.next_state();
  reborn.boot = BootId{6};
  scene.collector_says(reborn);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0}));
}

}  // namespace
}  // namespace fetchline
