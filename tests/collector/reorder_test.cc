#include "collector/reorder.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

#include "tests/proto/frames.h"
#include "tests/proto/same.h"
#include "tests/proto/samples.h"

namespace fetchline {
namespace {

using Verdict = ReorderBuffer::Verdict;
using Indices = std::vector<Index>;

constexpr std::size_t kPlenty = std::size_t{1} << 30;

Result result(Index index, std::size_t body_bytes = 0, std::uint32_t attempts = 1) {
  Result made;
  made.index = index;
  made.attempts = attempts;
  made.body.assign(body_bytes, 'x');
  return made;
}

Indices take_all(ReorderBuffer& buffer) {
  Indices indices;
  while (auto next = buffer.take_next()) indices.push_back(next->index);
  return indices;
}

TEST(Reorder, GivesResultsInOrderWhateverTheOrderOfArrival) {
  ReorderBuffer buffer({100, kPlenty});
  for (const Index index : {2U, 0U, 3U}) EXPECT_EQ(buffer.store(result(index)), Verdict::stored);
  EXPECT_TRUE(buffer.has_next());
  EXPECT_EQ(take_all(buffer), (Indices{0}));
  EXPECT_FALSE(buffer.has_next());
  EXPECT_EQ(buffer.watermark(), 1U);
  EXPECT_EQ(buffer.store(result(1)), Verdict::stored);
  EXPECT_EQ(take_all(buffer), (Indices{1, 2, 3}));
  EXPECT_EQ(buffer.watermark(), 4U);
  EXPECT_EQ(buffer.take_next(), nullptr);
}

TEST(Reorder, KeepsTheFirstOfTwoCopies) {
  ReorderBuffer buffer({100, kPlenty});
  EXPECT_EQ(buffer.store(result(1, 10, 1)), Verdict::stored);
  const std::size_t bytes = buffer.held_bytes();
  EXPECT_EQ(buffer.store(result(1, 20, 2)), Verdict::duplicate);
  EXPECT_EQ(buffer.held(), 1U);
  EXPECT_EQ(buffer.held_bytes(), bytes);
  EXPECT_EQ(buffer.store(result(0)), Verdict::stored);
  (void)buffer.take_next();
  EXPECT_EQ(buffer.take_next()->attempts, 1U);
  EXPECT_EQ(buffer.store(result(1)), Verdict::duplicate) << "taken, and never again";
  EXPECT_EQ(buffer.store(result(0)), Verdict::duplicate);
  EXPECT_EQ(buffer.held(), 0U);
}

TEST(Reorder, ManyThatWaitTakeLessMemoryAndComeBackAsTheyWere) {
  constexpr Index kMany = 3 * ReorderBuffer::kPackAbove;
  Result sample = samples::result();
  std::size_t unpacked = 0;
  ReorderBuffer buffer({kMany, kPlenty});
  for (Index index = kMany; index-- > 0;) {
    sample.index = index;
    unpacked += sample.memory_bytes();
    ASSERT_EQ(buffer.store(sample), Verdict::stored);
  }
  EXPECT_LT(buffer.held_bytes(), unpacked / 3 * 2);
  for (Index index = 0; index < kMany; ++index) {
    const auto next = buffer.take_next();
    sample.index = index;
    expect_same(*next, sample);
  }
  EXPECT_EQ(buffer.held_bytes(), 0U);
}

TEST(Reorder, HasNoRoomBeyondItsWindow) {
  ReorderBuffer buffer({3, kPlenty});
  EXPECT_EQ(buffer.window(), 3U);
  EXPECT_EQ(buffer.store(result(3)), Verdict::beyond);
  EXPECT_EQ(buffer.store(result(2)), Verdict::stored);
  EXPECT_EQ(buffer.store(result(0)), Verdict::stored);
  (void)buffer.take_next();
  EXPECT_EQ(buffer.store(result(3)), Verdict::stored);
  EXPECT_EQ(buffer.store(result(4)), Verdict::beyond);
  EXPECT_EQ(buffer.store(result(kMaxIndex - 1)), Verdict::beyond);
  EXPECT_EQ(buffer.held(), 2U);
}

TEST(Reorder, HasNoRoomBeyondItsMemoryButForTheHead) {
  const std::size_t one = result(0, 1000).memory_bytes();
  ReorderBuffer buffer({100, 2 * one});
  EXPECT_EQ(buffer.memory_bytes(), 2 * one);
  EXPECT_EQ(buffer.store(result(5, 1000)), Verdict::stored);
  EXPECT_EQ(buffer.store(result(3, 1000)), Verdict::stored);
  EXPECT_EQ(buffer.store(result(1, 1000)), Verdict::no_room);
  EXPECT_EQ(buffer.store(result(0, 100'000)), Verdict::stored);
  EXPECT_EQ(buffer.held_bytes(), 2 * one + result(0, 100'000).memory_bytes());
  EXPECT_EQ(take_all(buffer), (Indices{0}));
  EXPECT_EQ(buffer.held_bytes(), 2 * one);
  EXPECT_EQ(buffer.store(result(1, 1000)), Verdict::stored) << "it is the head now";
}

TEST(Reorder, CallsACopyADuplicateEvenWithoutRoom) {
  ReorderBuffer buffer({100, result(1).memory_bytes()});
  EXPECT_EQ(buffer.store(result(1)), Verdict::stored);
  EXPECT_EQ(buffer.store(result(1)), Verdict::duplicate);
  EXPECT_EQ(buffer.store(result(2)), Verdict::no_room);
}

TEST(Reorder, ForgetsWhatIsHeldBeyondTheEnd) {
  ReorderBuffer buffer({10, kPlenty});
  for (const Index index : {1, 4, 7}) EXPECT_EQ(buffer.store(result(index)), Verdict::stored);
  const std::size_t one = result(1).memory_bytes();
  EXPECT_EQ(buffer.drop_from(2), 2U);
  EXPECT_EQ(buffer.held(), 1U);
  EXPECT_EQ(buffer.held_bytes(), one);
  EXPECT_EQ(buffer.drop_from(2), 0U);
  EXPECT_EQ(buffer.store(result(0)), Verdict::stored);
  EXPECT_NE(buffer.take_next(), nullptr);
  EXPECT_NE(buffer.take_next(), nullptr);
  EXPECT_EQ(buffer.take_next(), nullptr);
}

TEST(Reorder, TellsWhichIndicesItHolds) {
  ReorderBuffer buffer({100, kPlenty});
  for (const Index index : {0U, 4U, 5U, 9U}) (void)buffer.store(result(index));
  EXPECT_EQ(buffer.indices(100), set_of({{0, 0}, {4, 5}, {9, 9}}));
  (void)take_all(buffer);
  EXPECT_EQ(buffer.indices(100), set_of({{4, 5}, {9, 9}}));
}

TEST(Reorder, TellsTheLowestWhenThereAreTooManyRangesToTell) {
  ReorderBuffer buffer({1000, kPlenty});
  for (Index index = 1; index < 1000; index += 2) (void)buffer.store(result(index));
  const IndexSet some = buffer.indices(10);
  EXPECT_GE(some.ranges().size(), 10U);
  EXPECT_LE(some.ranges().size(), 11U);
  for (std::size_t i = 0; i < some.ranges().size(); ++i) {
    EXPECT_EQ(some.ranges()[i], (IndexRange{2 * i + 1, 2 * i + 1}));
  }
}

TEST(Reorder, GivesEachResultOnceHoweverTheyArrive) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr Index kCount = 500, kWindow = 64;
  const std::size_t memory = 20 * result(0, 500).memory_bytes();
  ReorderBuffer buffer({kWindow, memory});
  Indices out;
  std::map<Index, std::size_t> held;
  while (out.size() < kCount) {
    const Index index = std::min(kCount - 1, out.size() + random() % (kWindow + 10));
    Result next = result(index, random() % 1000);
    const std::size_t bytes = next.memory_bytes();
    const bool known = index < out.size() || held.contains(index);
    const Verdict verdict = buffer.store(std::move(next));
    EXPECT_EQ(verdict == Verdict::duplicate, known);
    if (verdict == Verdict::stored) held.emplace(index, bytes);
    if (index == out.size()) {
      EXPECT_NE(verdict, Verdict::no_room) << "the head always fits";
    }
    while (random() % 3 != 0 && buffer.has_next()) {
      out.push_back(buffer.take_next()->index);
      held.erase(out.back());
    }
    std::size_t held_bytes = 0;
    for (const auto& [i, size] : held) held_bytes += size;
    ASSERT_EQ(buffer.held(), held.size());
    ASSERT_EQ(buffer.held_bytes(), held_bytes);
    ASSERT_EQ(buffer.watermark(), out.size());
  }
  Indices expected(kCount);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace fetchline
