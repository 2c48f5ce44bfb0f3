#include "producer/input_comparison.h"

#include <gtest/gtest.h>

#include "tests/proto/start.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kChunk = InputComparison::kHashes;
constexpr std::size_t kAhead = InputComparison::kAhead;
// The hash of task i is i + 1.
void read(InputComparison& comparison, Index first, std::size_t count) {
  for (Index index = first; index < first + count; ++index) comparison.add(index + 1);
}

std::size_t messages_of(InputComparison& comparison, Instant now) {
  std::size_t count = 0;
  while (comparison.next(now)) ++count;
  return count;
}

TEST(InputComparison, SaysNothingWhenNothingIsAsked) {
  InputComparison comparison(true);
  read(comparison, 0, 10);
  EXPECT_FALSE(comparison.next(kStart));
  comparison.on_state(0, 0, kStart);
  EXPECT_TRUE(comparison.over());
  EXPECT_FALSE(comparison.next(kStart));
  EXPECT_FALSE(comparison.wants_more());
}

TEST(InputComparison, SaysTheHashesUpToWhereTheyAreAsked) {
  InputComparison comparison(true);
  read(comparison, 0, 10);
  comparison.on_state(0, 3, kStart);
  const auto recap = comparison.next(kStart);
  ASSERT_TRUE(recap);
  EXPECT_EQ(recap->first, 0U);
  EXPECT_EQ(recap->hashes, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_FALSE(comparison.next(kStart));
  EXPECT_FALSE(comparison.over());
  comparison.on_state(3, 3, kStart);
  EXPECT_TRUE(comparison.over());
}

TEST(InputComparison, WaitsUntilAMessageIsFull) {
  InputComparison comparison(true);
  comparison.on_state(0, 2 * kChunk, kStart);
  read(comparison, 0, kChunk - 1);
  EXPECT_FALSE(comparison.next(kStart));
  read(comparison, kChunk - 1, 1);
  EXPECT_EQ(comparison.next(kStart)->hashes.size(), kChunk);
}

TEST(InputComparison, GoesNoFurtherAheadThanSixteenMessages) {
  InputComparison comparison(true);
  comparison.on_state(0, kMaxIndex, kStart);
  Index count = 0;
  while (comparison.wants_more()) comparison.add(++count);
  EXPECT_GE(count, kAhead);
  EXPECT_LE(count, kAhead + 2 * kChunk);
  EXPECT_EQ(messages_of(comparison, kStart), 16U);
  comparison.on_state(kChunk, kMaxIndex, kStart);
  EXPECT_TRUE(comparison.wants_more());
  const auto recap = comparison.next(kStart);
  ASSERT_TRUE(recap);
  EXPECT_EQ(recap->first, kAhead);
  EXPECT_EQ(recap->hashes[0], kAhead + 1);
}

TEST(InputComparison, SaysAllAgainAfterASecondWithoutProgress) {
  InputComparison comparison(true);
  read(comparison, 0, 4 * kChunk);
  comparison.on_state(0, 4 * kChunk, kStart);
  EXPECT_EQ(messages_of(comparison, kStart), 4U);
  comparison.on_state(kChunk, 4 * kChunk, kStart + 900ms);
  EXPECT_EQ(messages_of(comparison, kStart + 1899ms), 0U);
  const auto recap = comparison.next(kStart + 1900ms);
  ASSERT_TRUE(recap);
  EXPECT_EQ(recap->first, kChunk);
  EXPECT_EQ(messages_of(comparison, kStart + 1900ms), 2U);
  EXPECT_EQ(messages_of(comparison, kStart + 2899ms), 0U);
  EXPECT_EQ(messages_of(comparison, kStart + 2900ms), 3U);
}

TEST(InputComparison, KeepsNothingOfWhatIsComparedBeforeItIsRead) {
  InputComparison comparison(true);
  comparison.on_state(10'000'000, 10'000'002, kStart);
  for (Index index = 0; index < 10'000'002; ++index) {
    ASSERT_TRUE(comparison.wants_more()) << "what is known cannot fill it";
    comparison.add(index + 1);
  }
  const auto recap = comparison.next(kStart);
  ASSERT_TRUE(recap);
  EXPECT_EQ(recap->first, 10'000'000U);
  EXPECT_EQ(recap->hashes, (std::vector<std::uint64_t>{10'000'001, 10'000'002}));
}

TEST(InputComparison, SaysToACollectorThatStartedAnewThatWhatWasComparedIsNotToBe) {
  InputComparison comparison(true);
  read(comparison, 0, 5);
  comparison.on_state(0, 5, kStart);
  (void)comparison.next(kStart);
  comparison.on_state(3, 5, kStart);
  comparison.on_state(0, 5, kStart);
  const auto recap = comparison.next(kStart);
  ASSERT_TRUE(recap);
  EXPECT_EQ(recap->first, 0U);
  EXPECT_EQ(recap->hashes, (std::vector<std::uint64_t>{0, 0, 0, 4, 5}));
}

TEST(InputComparison, KeepsNoHashesThatNobodyWillAskFor) {
  InputComparison comparison(false);
  read(comparison, 0, 2);
  comparison.on_state(0, 2, kStart);
  EXPECT_EQ(comparison.next(kStart)->hashes, (std::vector<std::uint64_t>{0, 0}));
}

}  // namespace
}  // namespace fetchline
