// Done and farewell.
#include <gtest/gtest.h>

#include "tests/collector/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

TEST(CollectorCore, TellsEverybodyWhenItIsDone) {
  Scene scene;
  scene.open();
  scene.finish(3);
  EXPECT_TRUE(scene.core.done());
  scene.turn();
  for (const PeerId peer : {"producer", "a"}) {
    const Done done = scene.heard_one<Done>(peer);
    EXPECT_EQ(total_of(done.counts), 3U);
    EXPECT_EQ(ok_of(done.counts), 2U);
  }
}

TEST(CollectorCore, RepeatsDoneEverySecondToThoseWhoDoNotKnow) {
  Scene scene;
  scene.open();
  scene.finish(1);
  scene.turn();
  scene.bye_of_producer();
  (void)scene.heard<Done>("producer");
  (void)scene.heard<Done>("a");
  scene.turn(999ms);
  EXPECT_TRUE(scene.heard<Done>("a").empty());
  scene.turn(1ms);
  EXPECT_EQ(scene.heard<Done>("a").size(), 1U);
  EXPECT_TRUE(scene.heard<Done>("producer").empty()) << "it said that it knows";
}

TEST(CollectorCore, IsOverWhenEverybodyKnows) {
  Scene scene;
  scene.open();
  scene.results("b", {0});
  scene.finish(2);
  scene.turn();
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.bye("a");
  scene.bye_of_producer();
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.bye("b");
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, IsNotKeptByAProducerThatSentResultsToo) {
  Scene scene;
  scene.open();
  Results of_producer;
  of_producer.sender = WorkerId{Scene::kNonce};
  of_producer.results.resize(1);
  scene.says("producer", of_producer);
  (void)scene.take_all();
  scene.says("producer", End{1});
  scene.core.set_done(scene.now);
  scene.bye_of_producer();
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, WaitsNoLongerThanFiveSecondsForThoseWhoSayNothing) {
  Scene scene;
  scene.open();
  scene.finish(1);
  scene.turn(4999ms);
  EXPECT_FALSE(scene.core.over(scene.now));
  scene.turn(1ms);
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, WaitsForNoWorkerWhoseConnectionIsGone) {
  Scene scene;
  scene.open();
  scene.core.unreachable("a");
  scene.finish(1);
  scene.turn();
  scene.bye_of_producer();
  EXPECT_FALSE(scene.core.over(scene.now)) << "it may have come back";
  scene.core.unreachable("a");
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, WaitsForNoStrangerWhoseResultsNobodyAskedFor) {
  Scene scene;
  scene.open();
  scene.results("a", {0});
  scene.results("stranger", {0, 5'000});
  scene.says("producer", End{1});
  (void)scene.take_all();
  scene.core.set_done(scene.now);
  scene.bye("a");
  scene.bye_of_producer();
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, IsNotOverBeforeItIsDone) {
  Scene scene;
  scene.open();
  scene.bye_of_producer();
  scene.turn(60s);
  EXPECT_FALSE(scene.core.over(scene.now));
}

TEST(CollectorCore, AnswersWhateverComesLateWithDone) {
  Scene scene;
  scene.open();
  scene.finish(1);
  scene.turn();
  (void)scene.heard<Done>("producer");
  scene.results("late", {0});
  scene.says("producer", End{1});
  scene.open();
  EXPECT_EQ(scene.heard<Done>("late").size(), 1U);
  EXPECT_EQ(scene.heard<Done>("producer").size(), 2U);
  scene.turn(10ms);
  EXPECT_TRUE(scene.heard<Acks>("late").empty());
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  EXPECT_FALSE(scene.core.has_news());
}

TEST(CollectorCore, AnswersAByeWithSilence) {
  Scene scene;
  scene.open();
  scene.finish(1);
  scene.turn();
  (void)scene.heard<Done>("a");
  scene.bye("a");
  EXPECT_TRUE(scene.heard<Done>("a").empty());
}

TEST(CollectorCore, DoesNotWaitForAWorkerThatLeftLongBefore) {
  Scene scene;
  scene.open();
  scene.results("b", {0});
  scene.turn();
  scene.turn(10s + 1ms);
  scene.finish(2);
  scene.bye("a");
  scene.bye_of_producer();
  EXPECT_TRUE(scene.core.over(scene.now));
}

TEST(CollectorCore, TellsANewProducerOfAFinishedJobSo) {
  Scene scene;
  scene.open();
  scene.finish(1);
  scene.turn();
  scene.says("newer", Open{2});
  EXPECT_EQ(total_of(scene.heard_one<Done>("newer").counts), 1U);
  EXPECT_EQ(scene.last_epoch, Epoch{1});
}

}  // namespace
}  // namespace fetchline
