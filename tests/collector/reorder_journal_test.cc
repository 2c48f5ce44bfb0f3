// The reorder buffer of a collector with a journal: what is saved may leave memory.
#include <gtest/gtest.h>

#include "collector/reorder.h"
#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using Verdict = ReorderBuffer::Verdict;

constexpr std::size_t kBody = 1000;

Result large_result(Index index, std::size_t body_bytes = kBody) {
  Result made;
  made.index = index;
  made.task_hash = 1000 + index;
  made.body.assign(body_bytes, 'x');
  return made;
}

const std::size_t kOne = large_result(0).memory_bytes();

JournalPlace place(std::uint32_t length = kBody) { return {.segment = 1, .length = length}; }

// Room for six in memory, of which two may stay when they are saved, and for eight in the journal.
ReorderBuffer buffer() { return ReorderBuffer({100, 6 * kOne, 8 * kOne}); }

void store(ReorderBuffer& to, std::initializer_list<Index> indices) {
  for (const Index index : indices)
    EXPECT_EQ(to.store(large_result(index)), Verdict::stored) << index;
}
void save(ReorderBuffer& to, std::initializer_list<Index> indices) {
  for (const Index index : indices) to.set_saved(index, place());
}

TEST(ReorderJournal, KnowsWhatIsSavedAndWhatIsNot) {
  ReorderBuffer reorder = buffer();
  store(reorder, {3, 4});
  ASSERT_NE(reorder.unsaved(3), nullptr);
  EXPECT_EQ(reorder.unsaved(3)->index, 3U);
  save(reorder, {3});
  EXPECT_EQ(reorder.unsaved(3), nullptr);
  EXPECT_TRUE(reorder.is_saved(3));
  EXPECT_FALSE(reorder.is_saved(4));
  EXPECT_EQ(reorder.saved_bytes(), kBody);
  EXPECT_EQ(reorder.unsaved(50), nullptr);
  EXPECT_FALSE(reorder.is_saved(50));
}

TEST(ReorderJournal, TellsOnlyWhatIsSaved) {
  ReorderBuffer reorder = buffer();
  store(reorder, {1, 2, 4});
  EXPECT_TRUE(reorder.indices(10).empty());
  save(reorder, {2, 4});
  EXPECT_EQ(reorder.indices(10), set_of({{2, 2}, {4, 4}}));
  EXPECT_EQ(reorder.indices(1), set_of({{2, 2}}));
}

TEST(ReorderJournal, OfManyThoseThatAreSavedTakeLessMemory) {
  constexpr Index kMany = 2 * ReorderBuffer::kPackAbove;
  ReorderBuffer reorder({2 * kMany, 4 * kMany * kOne, kMany * kOne});
  for (Index index = 1; index <= kMany; ++index) store(reorder, {index});
  const std::size_t unpacked = reorder.held_bytes();
  ASSERT_NE(reorder.unsaved(kMany), nullptr);
  for (Index index = 1; index <= kMany; ++index) save(reorder, {index});
  EXPECT_LT(reorder.held_bytes(), unpacked / 4 * 3);
  EXPECT_EQ(reorder.unsaved(kMany), nullptr);
  store(reorder, {0});
  (void)reorder.take_next();
  EXPECT_EQ(reorder.head_place(), nullptr) << "it is in memory";
  EXPECT_EQ(reorder.take_next()->body, large_result(1).body);
}

TEST(ReorderJournal, SavedBodiesLeaveMemoryWhenMoreThanAThirdOfItIsUsed) {
  ReorderBuffer reorder = buffer();
  store(reorder, {1, 2, 3, 4});
  save(reorder, {1, 2, 3, 4});
  EXPECT_EQ(reorder.held_bytes(), 2 * kOne);
  EXPECT_EQ(reorder.held(), 4U);
  EXPECT_EQ(reorder.saved_bytes(), 4 * kBody);
}

TEST(ReorderJournal, ASlowHeadDoesNotFillTheMemory) {
  ReorderBuffer reorder({10'000, 6 * kOne, 10'000 * kOne});
  for (Index index = 1; index < 5'000; ++index) {
    store(reorder, {index});
    save(reorder, {index});
    ASSERT_LE(reorder.held_bytes(), 3 * kOne);
    ASSERT_FALSE(reorder.is_nearly_full());
  }
}

TEST(ReorderJournal, WhatLeftMemoryComesBackWhenItsTurnHasCome) {
  ReorderBuffer reorder = buffer();
  store(reorder, {1, 2, 3, 4});
  save(reorder, {4, 3, 2, 1});
  store(reorder, {0});
  std::vector<Index> loaded;
  for (Index index = 0; index < 5; ++index) {
    ASSERT_TRUE(reorder.has_next());
    if (reorder.head_place() != nullptr) {
      loaded.push_back(index);
      EXPECT_EQ(reorder.head_place()->segment, 1U);
      reorder.load_head(large_result(index));
      EXPECT_EQ(reorder.head_place(), nullptr);
    }
    EXPECT_EQ(reorder.take_next()->index, index);
  }
  EXPECT_EQ(loaded, (std::vector<Index>{3, 4}));
  EXPECT_EQ(reorder.held_bytes(), 0U);
  EXPECT_EQ(reorder.saved_bytes(), 0U);
  EXPECT_EQ(reorder.held(), 0U);
}

TEST(ReorderJournal, TheHeadStaysInMemory) {
  ReorderBuffer reorder = buffer();
  store(reorder, {0, 1, 2, 3});
  save(reorder, {0});
  EXPECT_EQ(reorder.head_place(), nullptr);
  EXPECT_EQ(reorder.held_bytes(), 4 * kOne);
}

TEST(ReorderJournal, HasNoRoomBeyondTheJournalButForTheHead) {
  ReorderBuffer reorder({100, 100 * kOne, 3 * kOne});
  store(reorder, {1, 2});
  EXPECT_FALSE(reorder.is_nearly_full());
  reorder.set_saved(1, place(static_cast<std::uint32_t>(kOne)));
  EXPECT_TRUE(reorder.is_half_empty());
  reorder.set_saved(2, place(static_cast<std::uint32_t>(kOne + kOne / 2)));
  EXPECT_TRUE(reorder.is_nearly_full());
  EXPECT_FALSE(reorder.is_half_empty());
  EXPECT_EQ(reorder.store(large_result(3)), Verdict::no_room);
  EXPECT_EQ(reorder.store(large_result(0)), Verdict::stored);
}

TEST(ReorderJournal, SavingWhatLeftOrWasForgottenOrIsSavedChangesNothing) {
  ReorderBuffer reorder = buffer();
  store(reorder, {0, 1, 5});
  (void)reorder.take_next();
  EXPECT_EQ(reorder.drop_from(5), 1U);
  save(reorder, {0, 5, 7});
  EXPECT_EQ(reorder.saved_bytes(), 0U);
  save(reorder, {1, 1});
  EXPECT_EQ(reorder.saved_bytes(), kBody);
}

TEST(ReorderJournal, RestoresWhatAnEarlierProcessSaved) {
  ReorderBuffer reorder({100, 6 * kOne, 8 * kOne}, 10);
  EXPECT_FALSE(reorder.restore(9, 1009, place())) << "it is out";
  EXPECT_TRUE(reorder.restore(12, 1012, place()));
  EXPECT_FALSE(reorder.restore(12, 1, place())) << "the first counts";
  EXPECT_TRUE(reorder.restore(10, 1010, place()));
  EXPECT_EQ(reorder.watermark(), 10U);
  EXPECT_EQ(reorder.end(), 13U);
  EXPECT_EQ(reorder.held(), 2U);
  EXPECT_EQ(reorder.held_bytes(), 0U);
  EXPECT_EQ(reorder.saved_bytes(), 2 * kBody);
  EXPECT_EQ(reorder.indices(10), set_of({{10, 10}, {12, 12}}));
  EXPECT_EQ(reorder.task_hash(12), 1012U);
  EXPECT_EQ(reorder.task_hash(11), 0U);
  EXPECT_EQ(reorder.store(large_result(12)), Verdict::duplicate);
  ASSERT_NE(reorder.head_place(), nullptr);
  reorder.load_head(large_result(10));
  EXPECT_EQ(reorder.take_next()->index, 10U);
}

TEST(ReorderJournal, ForgetsWhatIsSavedBeyondTheEnd) {
  ReorderBuffer reorder = buffer();
  store(reorder, {1, 3, 4});
  save(reorder, {3, 4});
  EXPECT_EQ(reorder.drop_from(3), 2U);
  EXPECT_EQ(reorder.saved_bytes(), 0U);
  EXPECT_EQ(reorder.held_bytes(), kOne);
}

}  // namespace
}  // namespace fetchline
