#include "collector/journal_format.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace fetchline {
namespace {

using Kind = EntryHead::Kind;

std::string entry_of(const EntryHead& head, std::string_view payload) {
  std::string bytes;
  append_entry(bytes, head, [&](std::string& to) { to += payload; });
  return bytes;
}

// Two entries as a process writes them that is not afraid of a loss of power.
struct Pair {
  std::string first = entry_of({.index = 7, .task_hash = 70}, "the first payload");
  std::string second = entry_of({.index = 8, .settled = first.size()}, "the second");
  std::string both = first + second;
};

TEST(JournalFormat, ReadsBackWhatWasWritten) {
  const EntryHead head{Kind::control, kMaxIndex - 1, ~std::uint64_t{0}, 1'234'567'890'123};
  for (const std::size_t size : {0, 1, 1000}) {
    const std::string payload(size, '\0');
    const std::string bytes = entry_of(head, payload) + "what follows";
    const auto entry = parse_entry(bytes);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->head.kind, Kind::control);
    EXPECT_EQ(entry->head.index, head.index);
    EXPECT_EQ(entry->head.task_hash, head.task_hash);
    EXPECT_EQ(entry->head.settled, head.settled);
    EXPECT_EQ(entry->payload, payload);
    EXPECT_EQ(entry->bytes(), kEntryHeaderBytes + size);
  }
}

TEST(JournalFormat, EntriesStandOneBehindTheOther) {
  const Pair pair;
  const auto first = parse_entry(pair.both);
  ASSERT_TRUE(first);
  const auto second = parse_entry(std::string_view(pair.both).substr(first->bytes()));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->head.index, 8U);
  EXPECT_EQ(second->payload, "the second");
}

TEST(JournalFormat, AKindOfALaterVersionIsToldAsItIs) {
  const auto entry = parse_entry(entry_of({.kind = Kind{9}}, ""));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->head.kind, Kind{9});
}

TEST(JournalFormat, NothingIsAWholeEntryBeforeItsLastByte) {
  const Pair pair;
  for (std::size_t size = 0; size < pair.first.size(); ++size) {
    const auto front = std::string_view(pair.first).substr(0, size);
    EXPECT_FALSE(parse_entry(front)) << size;
    EXPECT_FALSE(was_settled(front, 0)) << size;
  }
}

TEST(JournalFormat, AFlippedBitIsNeverAcceptedAndIsKnownForDamageByWhatFollows) {
  const Pair pair;
  for (std::size_t bit = 0; bit < pair.first.size() * 8; ++bit) {
    std::string bytes = pair.both;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(parse_entry(bytes)) << "bit " << bit;
    ASSERT_TRUE(was_settled(bytes, 0)) << "bit " << bit;
  }
}

TEST(JournalFormat, WhatWasNeverSettledIsNoDamageWhateverFollows) {
  constexpr std::uint64_t kBegin = 4096;  // of a group that was not synced
  std::string bytes = entry_of({.settled = kBegin}, std::string(5000, 'a'));
  bytes += entry_of({.settled = kBegin}, "the same group");
  std::fill_n(bytes.begin() + 100, 4096, '\0');
  EXPECT_FALSE(parse_entry(bytes));
  EXPECT_FALSE(was_settled(bytes, kBegin));
  bytes += entry_of({.settled = kBegin + bytes.size()}, "the next group");
  EXPECT_TRUE(was_settled(bytes, kBegin));
}

TEST(JournalFormat, ZerosAreNoEntry) {
  const std::string zeros(1000, '\0');
  EXPECT_FALSE(parse_entry(zeros));
  EXPECT_FALSE(was_settled(zeros, 0));
}

TEST(JournalFormat, RandomBytesAreNoEntry) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (round % 2 == 0 && bytes.size() >= 4) bytes.replace(0, 4, "FLJ1");
    ASSERT_FALSE(parse_entry(bytes));
    ASSERT_FALSE(was_settled(bytes, 0));
  }
}

}  // namespace
}  // namespace fetchline
