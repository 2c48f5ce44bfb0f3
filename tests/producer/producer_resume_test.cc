// A producer that goes on with the job that the collector has.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using Phase = ProducerCore::Phase;

ProducerCore::Settings resuming() {
  ProducerCore::Settings settings = Scene::default_settings();
  settings.job = job_number(9);  // the collector has another one
  settings.resume = true;
  return settings;
}

class ProducerResume : public testing::Test {
 protected:
  ProducerResume() : scene(resuming()) { scene.job = job_number(9); }

  void read(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Task task;
      task.hash = 100 + scene.core.next_index();
      scene.core.add(std::move(task));
    }
  }
  void hear(const State& state) {
    scene.collector_says(state, Epoch{4});
    scene.job = job_number(1);
  }
  State state_of(Index compared, Index compare_to, Index watermark = 0) {
    State state = scene.next_state(watermark);
    state.compared = compared;
    state.compare_to = compare_to;
    return state;
  }

  Scene scene;
};

TEST_F(ProducerResume, SaysSoWhenItOpens) {
  scene.turn();
  const auto opens = scene.heard_by_collector<Open>();
  ASSERT_EQ(opens.size(), 1U);
  EXPECT_TRUE(opens[0].resume);
}

TEST_F(ProducerResume, OpensAnewAfterTheEpochThatItIsToldOf) {
  scene.turn();
  scene.to_collector.clear();
  scene.collector_says(Refused{Refused::Reason::outdated}, Epoch{3});
  scene.job = job_number(1);
  scene.turn();
  ASSERT_EQ(scene.to_collector.size(), 1U) << "at once";
  EXPECT_EQ(scene.to_collector[0].epoch, Epoch{3});
  scene.to_collector.clear();
  scene.collector_says(Refused{Refused::Reason::outdated}, Epoch{3});
  scene.job = job_number(1);
  scene.turn();
  EXPECT_TRUE(scene.to_collector.empty()) << "but once";
}

TEST_F(ProducerResume, TakesTheJobThatTheCollectorHas) {
  read(2);
  hear(state_of(0, 0));
  EXPECT_EQ(scene.core.phase(), Phase::running);
  StubWorker& worker = scene.worker("a", 4);
  scene.turn();
  EXPECT_EQ(worker.job, job_number(1));
  EXPECT_EQ(worker.epoch, Epoch{4});
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST_F(ProducerResume, TakesNoJobThatWasGrantedToAnother) {
  State state = state_of(0, 0);
  state.nonce = 1;
  scene.collector_says(state);
  EXPECT_EQ(scene.core.phase(), Phase::opening);
  scene.turn();
  EXPECT_EQ(scene.core.dropped_messages(), 1U);
}

TEST_F(ProducerResume, TakesNoOtherJobOnceItHasOne) {
  hear(state_of(0, 0));
  scene.collector_says(state_of(0, 5), Epoch{1}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::running);
}

TEST_F(ProducerResume, OffersItsOwnJobToACollectorThatHasNone) {
  scene.collector_says(state_of(0, 0), Epoch{1}, job_number(9));
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::running);
}

TEST_F(ProducerResume, LearnsThatAllIsDoneAlready) {
  scene.collector_says(Done{});
  scene.job = job_number(1);
  EXPECT_EQ(scene.core.phase(), Phase::done);
  scene.turn();
  EXPECT_EQ(scene.heard_by_collector<Bye>().size(), 1U);
}

TEST_F(ProducerResume, HandsOutNothingBeforeTheInputIsCompared) {
  scene.core.add({}, "line 1: bad");
  read(5);
  StubWorker& worker = scene.worker("a", 10);
  hear(state_of(0, 3));
  EXPECT_EQ(scene.core.phase(), Phase::comparing);
  scene.turn();
  const auto recaps = scene.heard_by_collector<Recap>();
  ASSERT_EQ(recaps.size(), 1U);
  EXPECT_EQ(recaps[0].first, 0U);
  EXPECT_EQ(recaps[0].hashes, (std::vector<std::uint64_t>{0, 101, 102}));
  EXPECT_TRUE(worker.tasks.empty());
  EXPECT_EQ(worker.messages.size(), 1U) << "but it is answered";
  EXPECT_TRUE(scene.results().empty());
  hear(state_of(3, 3));
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{1, 2, 3, 4, 5}));
  EXPECT_EQ(scene.results().size(), 1U);
}

TEST_F(ProducerResume, ReadsOnWhileItComparesWhateverIsNotHandedOut) {
  hear(state_of(0, 50'000));
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(scene.core.wants_input()) << i;
    read(1);
  }
  while (scene.core.wants_input()) read(1);
  EXPECT_LT(scene.core.next_index(), 50'000 + 2 * ProducerCore::kReadAheadTasks);
}

TEST_F(ProducerResume, StopsTheReadingWhenTheCollectorDoesNotCompare) {
  hear(state_of(0, 1'000'000));
  while (scene.core.wants_input()) read(1);
  EXPECT_LT(scene.core.next_index(), 100'000U);
  scene.turn();
  EXPECT_EQ(scene.heard_by_collector<Recap>().size(), 16U);
  hear(state_of(40'000, 1'000'000));
  EXPECT_TRUE(scene.core.wants_input());
}

TEST_F(ProducerResume, ReadsPastWhatIsOutWithoutWaitingForAnybody) {
  State state = state_of(0, 0, 100'000);
  state.committed = set_of({{100'001, 200'000}});
  hear(state);
  for (int i = 0; i <= 200'000; ++i) {
    ASSERT_TRUE(scene.core.wants_input()) << i;
    read(1);
  }
  read(1);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{100'000, 200'001}));
  EXPECT_EQ(worker.tasks[0].attempt, 1U);
}

TEST_F(ProducerResume, SaysNoEndWhileItCompares) {
  read(3);
  scene.core.end_of_input();
  hear(state_of(0, 3));
  scene.turn();
  EXPECT_TRUE(scene.heard_by_collector<End>().empty());
  hear(state_of(3, 3));
  scene.turn();
  EXPECT_EQ(scene.heard_by_collector<End>().size(), 1U);
}

TEST_F(ProducerResume, EndsWhenTheInputIsAnother) {
  read(3);
  hear(state_of(0, 3));
  scene.collector_says(Refused{Refused::Reason::other_input, 2});
  EXPECT_EQ(scene.core.phase(), Phase::other_input);
  EXPECT_EQ(scene.core.other_input_at(), 2U);
  EXPECT_EQ(scene.core.difference(), ProducerCore::Difference::other_task);
  hear(state_of(3, 3));
  EXPECT_EQ(scene.core.phase(), Phase::other_input) << "for ever";
  scene.collector_says(Done{});
  EXPECT_EQ(scene.core.phase(), Phase::other_input) << "whatever was said to the one before";
}

TEST_F(ProducerResume, EndsWhenTheInputIsTooShort) {
  read(3);
  scene.core.end_of_input();
  hear(state_of(0, 4));
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::other_input);
  EXPECT_EQ(scene.core.other_input_at(), 3U);
  EXPECT_EQ(scene.core.difference(), ProducerCore::Difference::ends_early);
}

TEST_F(ProducerResume, EndsWhenTheInputGoesOnBeyondItsKnownEnd) {
  read(3);
  State state = state_of(0, 0);
  state.total = 4;
  hear(state);
  read(1);
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::running);
  read(1);
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::other_input);
  EXPECT_EQ(scene.core.other_input_at(), 4U);
  EXPECT_EQ(scene.core.difference(), ProducerCore::Difference::goes_on);
}

TEST_F(ProducerResume, EndsWhenTheInputEndsBeforeItsKnownEnd) {
  read(3);
  State state = state_of(2, 2);
  state.total = 4;
  hear(state);
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::running);
  scene.core.end_of_input();
  scene.turn();
  EXPECT_EQ(scene.core.phase(), Phase::other_input);
  EXPECT_EQ(scene.core.other_input_at(), 3U);
  EXPECT_EQ(scene.core.difference(), ProducerCore::Difference::ends_early);
}

TEST_F(ProducerResume, IsFencedWhileItComparesToo) {
  hear(state_of(0, 3));
  scene.collector_says(Refused{Refused::Reason::fenced});
  EXPECT_EQ(scene.core.phase(), Phase::fenced);
}

TEST_F(ProducerResume, ComparesNothingAgainWhenTheCollectorAsksAnewWhileItRuns) {
  read(3);
  hear(state_of(0, 3));
  State equal = state_of(3, 3);
  equal.log = 9;
  hear(equal);
  StubWorker& worker = scene.worker("a", 10);
  scene.turn();
  State reborn = state_of(0, 3);
  reborn.boot = BootId{6};
  reborn.log = 9;
  hear(reborn);
  EXPECT_EQ(scene.core.phase(), Phase::running);
  scene.heard_by_collector<Recap>();
  scene.turn();
  const auto recaps = scene.heard_by_collector<Recap>();
  ASSERT_EQ(recaps.size(), 1U);
  EXPECT_EQ(recaps[0].hashes, (std::vector<std::uint64_t>{0, 0, 0}));
  EXPECT_EQ(worker.tasks.size(), 3U);
}

}  // namespace
}  // namespace fetchline
