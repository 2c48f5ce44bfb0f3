#include "proto/result_outbox.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/proto/outbox_scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(ResultOutbox, SendsTheLowestIndexFirst) {
  ResultOutbox outbox = connected();
  add(outbox, {5, 1, 9, 3});
  EXPECT_EQ(all(outbox, kStart), (Indices{1, 3, 5, 9}));
}

TEST(ResultOutbox, SaysWhoSendsAndForWhichJob) {
  ResultOutbox outbox;
  add(outbox, {4});
  const Received received =
      received_of(*outbox.next_batch(job_number(1), Epoch{3}, WorkerId{7}, kStart));
  EXPECT_EQ(received.job, job_number(1));
  EXPECT_EQ(received.epoch, Epoch{3});
  EXPECT_EQ(std::get<Results>(received.message).sender, WorkerId{7});
}

TEST(ResultOutbox, SendsEachOnceAndHoldsItUntilItIsAcknowledged) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2});
  EXPECT_EQ(all(outbox, kStart).size(), 2U);
  EXPECT_TRUE(all(outbox, kStart + 1s).empty());
  EXPECT_TRUE(outbox.holds(1));
  EXPECT_TRUE(outbox.holds(2));
  outbox.on_acks(accepting(2, {{1, 1}}), kStart);
  EXPECT_FALSE(outbox.holds(1));
  EXPECT_TRUE(outbox.holds(2));
}

TEST(ResultOutbox, KeepsTheFirstOfTwoResultsForAnIndex) {
  ResultOutbox outbox = connected();
  outbox.add(result(1, 10));
  const std::size_t bytes = outbox.held_bytes();
  outbox.add(result(1, 20));
  EXPECT_EQ(outbox.held_bytes(), bytes);
  const auto results =
      message_of<Results>(std::move(*outbox.next_batch(job_number(1), Epoch{3}, {}, kStart)));
  EXPECT_EQ(results.results.at(0).body.size(), 10U);
}

TEST(ResultOutbox, TakesAcknowledgementsInAnyOrderAndRepeated) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2, 3, 4, 5});
  (void)all(outbox, kStart);
  outbox.on_acks(accepting(9, {{4, 5}}), kStart);
  outbox.on_acks(accepting(3, {{1, 1}, {3, 3}}), kStart);  // overtaken, but still a fact
  outbox.on_acks(accepting(9, {{4, 5}}), kStart);
  outbox.on_acks(accepting(10, {{100, kMaxIndex - 1}}), kStart);  // of things we never had
  for (Index index = 1; index <= 5; ++index) EXPECT_EQ(outbox.holds(index), index == 2) << index;
  outbox.on_acks(accepting(2, {{0, 1000}}), kStart);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.held_bytes(), 0U);
}

TEST(ResultOutbox, ForgetsWhatIsAcknowledgedBeforeItWasSent) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2});
  outbox.on_acks(accepting(2, {{1, 1}}), kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{2}));
}

TEST(ResultOutbox, CountsTheBytesItHolds) {
  ResultOutbox outbox = connected();
  outbox.add(result(1, 1000));
  outbox.add(result(2, 5000));
  EXPECT_GE(outbox.held_bytes(), 6000U);
  EXPECT_LT(outbox.held_bytes(), 6200U);
  outbox.on_acks(accepting(2, {{2, 2}}), kStart);
  EXPECT_GE(outbox.held_bytes(), 1000U);
  EXPECT_LT(outbox.held_bytes(), 1100U);
}

TEST(ResultOutbox, SendsAgainWhatWasRefused) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2, 3});
  (void)all(outbox, kStart);
  Acks refusing = acks(2);
  refusing.refused = set_of({{2, 3}});
  refusing.admit_limit = 3;
  outbox.on_acks(refusing, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{2}));
  outbox.on_acks(acks(3), kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{3}));
}

TEST(ResultOutbox, IsNotConfusedByARefusalOfWhatItDidNotSend) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2});
  Acks refusing = acks(2);
  refusing.refused = set_of({{0, 10}});
  outbox.on_acks(refusing, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{1, 2}));
}

TEST(ResultOutbox, ResendsWhatIsNotAcknowledgedInFiveSeconds) {
  ResultOutbox outbox = connected();
  add(outbox, {1});
  (void)all(outbox, kStart);
  add(outbox, {2});
  (void)all(outbox, kStart + 2s);
  outbox.advance(kStart + 4999ms);
  EXPECT_TRUE(all(outbox, kStart + 4999ms).empty());
  outbox.advance(kStart + 5s);
  EXPECT_EQ(all(outbox, kStart + 5s), (Indices{1}));
  outbox.advance(kStart + 7s);
  EXPECT_EQ(all(outbox, kStart + 7s), (Indices{2}));
  outbox.advance(kStart + 10s);
  EXPECT_EQ(all(outbox, kStart + 10s), (Indices{1}));
}

TEST(ResultOutbox, DoesNotResendOnTheOldSendingsTimeWhatWentAgainSince) {
  ResultOutbox outbox = connected();
  add(outbox, {1});
  (void)all(outbox, kStart);
  Acks refusing = acks(2);
  refusing.refused = set_of({{1, 1}});
  outbox.on_acks(refusing, kStart);
  EXPECT_EQ(all(outbox, kStart + 4s), (Indices{1}));
  outbox.advance(kStart + 5s);
  EXPECT_TRUE(all(outbox, kStart + 5s).empty());
  outbox.advance(kStart + 9s);
  EXPECT_EQ(all(outbox, kStart + 9s), (Indices{1}));
}

TEST(ResultOutbox, ResendsEverythingToANewCollectorProcess) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2, 3});
  (void)all(outbox, kStart);
  Acks reborn = accepting(1, {{2, 2}});
  reborn.boot = BootId{2};
  outbox.on_acks(reborn, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{1, 3}));
}

TEST(ResultOutbox, TakesBackTheMessageThatCouldNotBeSent) {
  ResultOutbox outbox = connected();
  add(outbox, {1, 2});
  EXPECT_EQ(next(outbox, kStart), (Indices{1, 2}));
  outbox.take_back_last_batch();
  add(outbox, {0});
  EXPECT_EQ(next(outbox, kStart), (Indices{0, 1, 2}));
  outbox.advance(kStart + 5s);
  EXPECT_EQ(next(outbox, kStart + 5s), (Indices{0, 1, 2}));
}

TEST(ResultOutbox, IsCutOffWhenNothingCanBeSentForLongAndUntilItHearsAWord) {
  ResultOutbox outbox = connected();
  EXPECT_FALSE(outbox.is_cut_off(kStart + 1h)) << "nothing to send";
  add(outbox, {1});
  EXPECT_EQ(next(outbox, kStart), (Indices{1}));
  outbox.take_back_last_batch();
  EXPECT_EQ(next(outbox, kStart + 3s), (Indices{1}));
  outbox.take_back_last_batch();
  EXPECT_FALSE(outbox.is_cut_off(kStart + 29s));
  EXPECT_TRUE(outbox.is_cut_off(kStart + 30s));
  EXPECT_EQ(next(outbox, kStart + 31s), (Indices{1}));
  EXPECT_TRUE(outbox.is_cut_off(kStart + 31s)) << "sent, but nobody has answered yet";
  Acks word = acks(1);
  word.seq = 2;
  outbox.on_acks(word, kStart + 31s);
  EXPECT_FALSE(outbox.is_cut_off(kStart + 1h));
}

TEST(ResultOutbox, IsNotCutOffByANewCollectorOrASlowOne) {
  ResultOutbox outbox = connected();
  add(outbox, {1});
  EXPECT_EQ(next(outbox, kStart), (Indices{1}));
  EXPECT_FALSE(outbox.is_cut_off(kStart + 1h)) << "it was sent, the answer is late";
  Acks other = acks(1);
  other.boot = BootId{99};
  outbox.on_acks(other, kStart);
  EXPECT_FALSE(outbox.is_cut_off(kStart + 1h));
}

TEST(ResultOutbox, TakesAnIndexAgainThatItForgot) {
  ResultOutbox outbox = connected();
  add(outbox, {1});
  (void)all(outbox, kStart);
  outbox.on_acks(accepting(2, {{1, 1}}), kStart);
  add(outbox, {1});
  EXPECT_EQ(all(outbox, kStart + 3s), (Indices{1}));
  outbox.advance(kStart + 5s);  // the first sending's time is not the second's
  EXPECT_TRUE(all(outbox, kStart + 5s).empty());
}

TEST(ResultOutbox, KnowsNothingAfterBeingCleared) {
  Acks tight = acks(100);
  tight.watermark = 50;
  ResultOutbox outbox = connected(tight);
  add(outbox, {60});
  (void)all(outbox, kStart);
  outbox.clear();
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.held_bytes(), 0U);
  EXPECT_EQ(outbox.watermark(), 0U);
  outbox.advance(kStart + 10s);
  EXPECT_TRUE(all(outbox, kStart + 10s).empty());
}

// However results are lost, refused and acknowledged, each arrives, and the books stay right.
TEST(ResultOutbox, DeliversEverythingOverALossyLink) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ResultOutbox outbox;
  std::set<Index> arrived;
  constexpr Index kCount = 300;
  for (Index index = 0; index < kCount; ++index) outbox.add(result(index, random() % 3000));
  Instant now = kStart;
  std::uint64_t seq = 0;
  for (int turn = 0; turn < 100'000 && !outbox.empty(); ++turn, now += 100ms) {
    outbox.advance(now);
    for (Indices batch = next(outbox, now); !batch.empty(); batch = next(outbox, now)) {
      if (random() % 4 == 0) continue;  // lost
      Acks answer = acks(++seq);
      answer.boot = BootId{1 + static_cast<std::uint64_t>(turn) / 50};
      answer.byte_window = random() % 20'000;
      for (const Index index : batch) {
        const bool fits = random() % 3 != 0;
        (fits ? answer.accepted : answer.refused).insert(index);
        if (fits) arrived.insert(index);
      }
      answer.admit_limit = random() % kCount;
      if (random() % 4 != 0) outbox.on_acks(answer, kStart);
    }
  }
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(arrived.size(), kCount);
  EXPECT_EQ(outbox.held_bytes(), 0U);
}

TEST(ResultOutbox, SendsNothingAgainWhenItHearsFromItsFirstCollector) {
  ResultOutbox outbox;
  add(outbox, {0, 1});
  EXPECT_EQ(next(outbox, kStart), (Indices{0, 1}));
  Acks acks;
  acks.boot = BootId{9};
  acks.admit_limit = kWide;
  acks.byte_window = kWide;
  acks.accepted = set_of({{0, 0}});
  outbox.on_acks(acks, kStart);
  EXPECT_EQ(next(outbox, kStart), (Indices{}));
}

}  // namespace
}  // namespace fetchline
