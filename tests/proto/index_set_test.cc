#include "proto/index_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using Ranges = std::vector<IndexRange>;

TEST(IndexSet, IsEmptyAtFirst) {
  const IndexSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.size(), 0U);
  EXPECT_FALSE(set.contains(0));
}

TEST(IndexSet, JoinsNeighboursIntoOneRange) {
  IndexSet set;
  for (const Index index : {5U, 3U, 4U}) set.insert(index);
  EXPECT_EQ(set.ranges(), (Ranges{{3, 5}}));
  set.insert(7);
  EXPECT_EQ(set.ranges(), (Ranges{{3, 5}, {7, 7}}));
  set.insert(6);
  EXPECT_EQ(set.ranges(), (Ranges{{3, 7}}));
}

TEST(IndexSet, TakesARangeThatSwallowsOthers) {
  IndexSet set = set_of({{1, 2}, {5, 6}, {9, 10}, {20, 30}});
  set.insert(IndexRange{4, 12});
  EXPECT_EQ(set.ranges(), (Ranges{{1, 2}, {4, 12}, {20, 30}}));
  EXPECT_EQ(set.size(), 2U + 9U + 11U);
}

TEST(IndexSet, KeepsWhatItHasWhenToldAgain) {
  IndexSet set = set_of({{10, 20}});
  set.insert(15);
  set.insert(IndexRange{10, 20});
  set.insert(IndexRange{12, 13});
  EXPECT_EQ(set.ranges(), (Ranges{{10, 20}}));
}

TEST(IndexSet, KnowsBothEndsOfARange) {
  const IndexSet set = set_of({{0, 0}, {10, 20}, {kMaxIndex - 2, kMaxIndex - 1}});
  for (const Index index : {Index{0}, Index{10}, Index{20}, kMaxIndex - 1}) {
    EXPECT_TRUE(set.contains(index)) << index;
  }
  for (const Index index : {Index{1}, Index{9}, Index{21}, kMaxIndex - 3, kMaxIndex}) {
    EXPECT_FALSE(set.contains(index)) << index;
  }
}

TEST(IndexSet, IsEmptyAgainWhenCleared) {
  IndexSet set = set_of({{1, 2}, {4, 5}});
  set.clear();
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set, IndexSet());
}

TEST(IndexSet, IsMadeOfIndicesInAnyOrderWithRepeats) {
  std::vector<Index> indices{7, 1, 2, 9, 2, 8, 1};
  EXPECT_EQ(index_set_of(indices), set_of({{1, 2}, {7, 9}}));
  std::vector<Index> none;
  EXPECT_TRUE(index_set_of(none).empty());
}

void expect_normal(const IndexSet& set) {
  for (std::size_t i = 0; i < set.ranges().size(); ++i) {
    const IndexRange& range = set.ranges()[i];
    EXPECT_LE(range.first, range.last);
    if (i > 0) {
      EXPECT_GT(range.first, set.ranges()[i - 1].last + 1);
    }
  }
}

TEST(IndexSet, AgreesWithASetOfNumbersWhateverIsInserted) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr Index kSpan = 200;
  for (int round = 0; round < 200; ++round) {
    IndexSet set;
    std::set<Index> model;
    for (int i = 0; i < 60; ++i) {
      const Index first = random() % kSpan;
      const Index last = std::min<Index>(first + random() % (1 + random() % 20), kSpan - 1);
      set.insert(IndexRange{first, last});
      for (Index index = first; index <= last; ++index) model.insert(index);
      expect_normal(set);
      ASSERT_EQ(set.size(), model.size());
    }
    for (Index index = 0; index < kSpan; ++index) {
      ASSERT_EQ(set.contains(index), model.contains(index)) << index;
    }
  }
}

TEST(IndexSet, IsTheSameWhateverTheOrderOfInsertion) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Index> indices(300);
  for (Index& index : indices) index = random() % 500;
  std::vector<Index> sorted = indices;
  const IndexSet expected = index_set_of(sorted);
  IndexSet set;
  for (const Index index : indices) set.insert(index);
  EXPECT_EQ(set, expected);
}

}  // namespace
}  // namespace fetchline
