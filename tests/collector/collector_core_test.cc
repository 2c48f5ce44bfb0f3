#include "collector/collector_core.h"

#include <gtest/gtest.h>

#include "tests/collector/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

// Opening, and who may.

TEST(CollectorCore, GrantsTheFirstEpochToWhoeverAsks) {
  Scene scene;
  EXPECT_FALSE(scene.core.has_job());
  scene.open();
  EXPECT_EQ(scene.core.job(), job_number(1));
  EXPECT_EQ(scene.core.producer_heard(), scene.now);
  scene.turn();
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(scene.last_epoch, Epoch{1});
  EXPECT_EQ(state.boot, Scene::kBoot);
  EXPECT_EQ(state.nonce, Scene::kNonce);
  EXPECT_EQ(state.watermark, 0U);
  EXPECT_EQ(state.dispatch_limit, 100U);
  EXPECT_EQ(state.total, std::nullopt);
  EXPECT_TRUE(state.committed.empty());
}

TEST(CollectorCore, SaysNothingBeforeItIsAsked) {
  Scene scene;
  scene.results("a", {0});
  scene.says("producer", End{0});
  scene.turn(1s);
  EXPECT_TRUE(scene.heard<Acks>("a").empty());
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
  EXPECT_FALSE(scene.core.complete());
}

TEST(CollectorCore, AnswersEveryOpenWithTheWholeState) {
  Scene scene;
  scene.open();
  scene.turn();
  const std::uint64_t first = scene.heard_one<State>("producer").seq;
  scene.results("a", {0, 2, 3, 7});
  (void)scene.take_all();
  scene.open();
  scene.turn();
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(scene.last_epoch, Epoch{1}) << "the same producer process, the same epoch";
  EXPECT_EQ(state.watermark, 1U);
  EXPECT_EQ(state.committed, set_of({{2, 3}, {7, 7}}));
  EXPECT_GT(state.seq, first);
}

TEST(CollectorCore, FencesTheOlderOfTwoProducersOfAJob) {
  Scene scene;
  scene.open(1);
  scene.says("newer", Open{2});
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("newer").nonce, 2U);
  EXPECT_EQ(scene.last_epoch, Epoch{2});
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  scene.open(1);
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("producer").reason, Refused::Reason::fenced);
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  scene.says("newer", Open{2});
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("newer").nonce, 2U) << "it is not disturbed";
}

TEST(CollectorCore, IsBusyForAnotherJob) {
  Scene scene;
  scene.open();
  scene.says("other", Open{9}, Epoch{}, job_number(2));
  scene.says("nobody", Open{9}, Epoch{}, JobId{});
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("other").reason, Refused::Reason::busy);
  EXPECT_EQ(scene.heard_one<Refused>("nobody").reason, Refused::Reason::busy);
  EXPECT_EQ(scene.core.job(), job_number(1));
}

TEST(CollectorCore, DoesNotTakeAJobWithoutAName) {
  Scene scene;
  scene.says("nobody", Open{9}, Epoch{}, JobId{});
  EXPECT_FALSE(scene.core.has_job());
  scene.open();
  EXPECT_EQ(scene.core.job(), job_number(1));
}

TEST(CollectorCore, DropsWhatIsOfAnotherJobOrMakesNoSense) {
  Scene scene;
  scene.open();
  scene.says("a", Results{}, Epoch{1}, job_number(2));
  scene.says("a", Heartbeat{});
  scene.says("a", State{});
  EXPECT_EQ(scene.core.dropped_messages(), 3U);
}

TEST(CollectorCore, TellsWhoHasResultsOfAnotherJobThatItIsBusy) {
  Scene scene;
  scene.says("a", Results{}, Epoch{1}, job_number(2));
  scene.turn();
  EXPECT_TRUE(scene.heard<Refused>("a").empty()) << "it has no job: that one may come";
  scene.open();
  scene.says("a", Results{}, Epoch{1}, job_number(2));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("a").reason, Refused::Reason::busy);
}

TEST(CollectorCore, FollowsAProducerThatReconnects) {
  Scene scene;
  scene.open();
  scene.turn();
  (void)scene.heard<State>("producer");
  scene.says("new peer", Open{Scene::kNonce});
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("new peer").nonce, Scene::kNonce);
  EXPECT_TRUE(scene.heard<State>("producer").empty());
}

// Results.

TEST(CollectorCore, AcknowledgesWhatItKeepsAndGivesItOutInOrder) {
  Scene scene;
  scene.open();
  scene.results("a", {2, 0});
  EXPECT_EQ(scene.take_all(), (Indices{0}));
  scene.turn();
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.boot, Scene::kBoot);
  EXPECT_EQ(acks.accepted, set_of({{0, 0}, {2, 2}}));
  EXPECT_TRUE(acks.refused.empty());
  EXPECT_EQ(acks.watermark, 1U);
  EXPECT_EQ(acks.admit_limit, kMaxIndex);
  scene.results("b", {1});
  EXPECT_EQ(scene.take_all(), (Indices{1, 2}));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("b").accepted, set_of({{1, 1}}));
  EXPECT_TRUE(scene.heard<Acks>("a").empty()) << "there is nothing new for it";
  EXPECT_EQ(scene.core.counts()[static_cast<std::size_t>(Outcome::ok)], 2U);
  EXPECT_EQ(scene.core.counts()[static_cast<std::size_t>(Outcome::timeout)], 1U);
}

TEST(CollectorCore, AcknowledgesACopyAgainAndCountsItOnce) {
  Scene scene;
  scene.open();
  scene.results("a", {0, 1});
  (void)scene.take_all();
  scene.results("b", {0, 1});  // already out
  scene.results("b", {3});
  scene.results("a", {3});  // still held
  (void)scene.take_all();
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("a").accepted, set_of({{0, 1}, {3, 3}}));
  EXPECT_EQ(scene.heard_one<Acks>("b").accepted, set_of({{0, 1}, {3, 3}}));
  EXPECT_EQ(total_of(scene.core.counts()), 2U);
}

TEST(CollectorCore, KeepsNothingBeyondTheWindow) {
  Scene scene(4);
  scene.open();
  scene.results("a", {3, 4});
  scene.turn();
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.accepted, set_of({{3, 3}}));
  EXPECT_TRUE(acks.refused.empty());
}

TEST(CollectorCore, TakesResultsOfAnyEpochOfTheJob) {
  Scene scene;
  scene.open(1);
  scene.says("newer", Open{2});
  scene.results("a", {0});  // says epoch 1
  EXPECT_EQ(scene.take_all(), (Indices{0}));
}

TEST(CollectorCore, NumbersItsAcknowledgementsUpwards) {
  Scene scene;
  scene.open();
  std::uint64_t seq = 0;
  for (Index index = 0; index < 5; ++index) {
    scene.results("a", {index});
    scene.turn();
    const Acks acks = scene.heard_one<Acks>("a");
    EXPECT_GT(acks.seq, seq);
    seq = acks.seq;
  }
}

TEST(CollectorCore, SharesItsByteWindowAmongThoseWhoSend) {
  Scene scene(100, 64 * kMiB);
  scene.open();
  scene.results("a", {0});
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("a").byte_window, 16 * kMiB);
  scene.results("b", {1});
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("b").byte_window, 8 * kMiB);
}

TEST(CollectorCore, GivesEverySenderAByteWindowThatIsOfUse) {
  Scene scene(100, 1 * kMiB);
  scene.open();
  scene.results("a", {0});
  scene.turn();
  EXPECT_GE(scene.heard_one<Acks>("a").byte_window, kMiB);
}

// What the producer hears.

TEST(CollectorCore, TellsTheProducerHowFarItIsButNotTooOften) {
  Scene scene;
  scene.open();
  scene.turn(1s);
  (void)scene.heard<State>("producer");
  EXPECT_FALSE(scene.core.has_news());
  scene.results("a", {0, 2});
  (void)scene.take_all();
  EXPECT_TRUE(scene.core.has_news());
  scene.turn(1ms);
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  scene.turn(1ms);
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(state.watermark, 1U);
  EXPECT_EQ(state.dispatch_limit, 101U);
  EXPECT_TRUE(state.committed.empty()) << "only an Open asks for that";
  EXPECT_FALSE(scene.core.has_news());
  scene.turn(1s);
  EXPECT_TRUE(scene.heard<State>("producer").empty());
}

// The end of the input.

TEST(CollectorCore, KnowsTheTotalAndSaysSo) {
  Scene scene;
  scene.open();
  scene.turn(1s);
  (void)scene.heard<State>("producer");
  scene.says("producer", End{2});
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<State>("producer").total, 2U);
  EXPECT_EQ(scene.core.total(), 2U);
  EXPECT_FALSE(scene.core.complete());
  scene.results("a", {0, 1});
  EXPECT_FALSE(scene.core.complete()) << "not before they are taken";
  (void)scene.take_all();
  EXPECT_TRUE(scene.core.complete());
}

TEST(CollectorCore, IsCompleteAtOnceWhenTheInputIsEmpty) {
  Scene scene;
  scene.open();
  scene.says("producer", End{0});
  EXPECT_TRUE(scene.core.complete());
}

TEST(CollectorCore, TakesNoEndOfAnOldEpoch) {
  Scene scene;
  scene.open(1);
  scene.says("newer", Open{2});
  scene.says("producer", End{0}, Epoch{1});
  EXPECT_EQ(scene.core.total(), std::nullopt);
  scene.says("producer", End{0}, Epoch{3});
  EXPECT_EQ(scene.core.total(), std::nullopt);
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
  scene.says("newer", End{7}, Epoch{2});
  EXPECT_EQ(scene.core.total(), 7U);
}

TEST(CollectorCore, TakesNoEndBelowWhatIsOut) {
  Scene scene;
  scene.open();
  scene.results("a", {0, 1});
  (void)scene.take_all();
  scene.says("producer", End{1});
  EXPECT_EQ(scene.core.total(), std::nullopt);
  scene.says("producer", End{2});
  EXPECT_EQ(scene.core.total(), 2U);
}

TEST(CollectorCore, ForgetsResultsOfTasksThatDoNotExist) {
  Scene scene;
  scene.open();
  scene.results("a", {0, 5});
  scene.says("producer", End{1});
  EXPECT_EQ(scene.core.total(), 1U);
  EXPECT_EQ(scene.take_all(), (Indices{0}));
  EXPECT_TRUE(scene.core.complete());
}

TEST(CollectorCore, KeepsNoResultWhoseMetaIsNotJson) {
  Scene scene;
  scene.open();
  for (const char* meta : {"{", "1\n2", "{} {}"}) {
    Result forged;
    forged.meta = meta;
    scene.says("a", Results{WorkerId{1}, {forged}});
    EXPECT_TRUE(scene.take_all().empty()) << meta;
  }
  Result honest;
  honest.meta = R"({"a":1})";
  scene.says("a", Results{WorkerId{1}, {honest}});
  EXPECT_EQ(scene.take_all(), (Indices{0}));
}

TEST(CollectorCore, TakesNoSecondTotal) {
  Scene scene;
  scene.open();
  scene.says("producer", End{6});
  scene.says("producer", End{7});
  scene.says("producer", End{5});
  EXPECT_EQ(scene.core.total(), 6U);
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
  scene.says("producer", End{6});
  EXPECT_EQ(scene.core.dropped_messages(), 2U) << "a repetition is fine";
}

TEST(CollectorCore, DropsResultsBeyondTheEnd) {
  Scene scene;
  scene.open();
  scene.says("producer", End{2});
  scene.results("a", {1, 2});
  scene.turn();
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.accepted, set_of({{1, 1}}));
  EXPECT_TRUE(acks.refused.empty());
  EXPECT_EQ(scene.core.dropped_messages(), 1U);
}

}  // namespace
}  // namespace fetchline
