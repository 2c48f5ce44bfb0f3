#include "collector/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/collector/file_size_limit.h"
#include "tests/collector/temporary_directory.h"
#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using Durability = Journal::Durability;
using Indices = std::vector<Index>;

Result journaled(Index index, std::size_t body_bytes = 100) {
  Result made;
  made.index = index;
  made.task_hash = index * 1000 + 1;
  made.url = "http://a/" + std::to_string(index);
  made.body.assign(body_bytes, static_cast<char>('a' + index % 26));
  return made;
}

Indices indices_of(const Journal::Recovered& recovered) {
  Indices indices;
  for (const auto& kept : recovered.results) indices.push_back(kept.index);
  return indices;
}

class JournalTest : public testing::TestWithParam<Durability> {
 protected:
  Journal journal(std::uint64_t segment_bytes = Journal::kSegmentBytes) {
    return {path_, GetParam(), segment_bytes};
  }
  std::string segment(int number) { return path_ + "/segment-0000000" + std::to_string(number); }
  bool has_segment(int number) { return std::filesystem::exists(segment(number)); }

  JournalPlace put(Journal& to, Index index, std::size_t body_bytes = 100) {
    const JournalPlace place = to.append(journaled(index, body_bytes));
    to.commit();
    return place;
  }
  void put(Journal& to, const JobControl& control) {
    to.append(control);
    to.commit();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("out.spill");
  JobControl control_{.job = job_number(1), .log = 5, .epochs = {{77, Epoch{1}}}};
};

INSTANTIATE_TEST_SUITE_P(, JournalTest, testing::Values(Durability::process, Durability::power),
                         [](const auto& test) {
                           return test.param == Durability::power ? "Power" : "Process";
                         });

TEST_P(JournalTest, IsEmptyAtFirst) {
  Journal fresh = journal();
  const auto recovered = fresh.recover();
  EXPECT_EQ(recovered.control, std::nullopt);
  EXPECT_TRUE(recovered.results.empty());
  EXPECT_EQ(recovered.cut_bytes, 0U);
  EXPECT_EQ(fresh.bytes(), 0U);
}

TEST_P(JournalTest, KeepsWhatWasCommitted) {
  {
    Journal first = journal();
    first.append(control_);
    for (const Index index : {5, 2, 9}) (void)first.append(journaled(index));
    EXPECT_TRUE(first.has_uncommitted());
    first.commit();
    EXPECT_FALSE(first.has_uncommitted());
  }
  Journal second = journal();
  const auto recovered = second.recover();
  EXPECT_EQ(recovered.control, control_);
  EXPECT_EQ(indices_of(recovered), (Indices{5, 2, 9}));
  EXPECT_EQ(recovered.cut_bytes, 0U);
  for (const auto& [index, hash, place] : recovered.results) {
    const Result read = second.read(place);
    EXPECT_EQ(hash, journaled(index).task_hash);
    EXPECT_EQ(read.index, index);
    EXPECT_EQ(read.task_hash, hash);
    EXPECT_EQ(read.url, journaled(index).url);
    EXPECT_EQ(read.body, journaled(index).body);
  }
}

TEST_P(JournalTest, WritesNothingBeforeItIsCommitted) {
  {
    Journal first = journal();
    first.append(control_);
    (void)first.append(journaled(1));
    EXPECT_FALSE(has_segment(1));
    EXPECT_GT(first.bytes(), 0U);
  }
  EXPECT_EQ(journal().recover().control, std::nullopt);
}

TEST_P(JournalTest, ReadsBackAHugeResult) {
  constexpr std::size_t kHuge = std::size_t{20} << 20;
  {
    Journal first = journal();
    first.append(control_);
    EXPECT_EQ(first.read(put(first, 3, kHuge)).body, journaled(3, kHuge).body);
    (void)put(first, 4);
  }
  Journal second = journal();
  const auto recovered = second.recover();
  ASSERT_EQ(indices_of(recovered), (Indices{3, 4}));
  EXPECT_EQ(second.read(recovered.results[0].place).body, journaled(3, kHuge).body);
}

TEST_P(JournalTest, TheLastControlCounts) {
  {
    Journal first = journal();
    put(first, control_);
    control_.total = 12;
    put(first, control_);
  }
  EXPECT_EQ(journal().recover().control, control_);
}

TEST_P(JournalTest, TellsBothWhenAnIndexWasWrittenTwice) {
  {
    Journal first = journal();
    put(first, control_);
    (void)put(first, 3, 10);
    (void)put(first, 3, 20);
  }
  EXPECT_EQ(indices_of(journal().recover()), (Indices{3, 3}));
}

TEST_P(JournalTest, CutsATornTailWhereverItTore) {
  std::uint64_t whole = 0;
  {
    Journal first = journal();
    first.append(control_);
    (void)put(first, 1);
    whole = first.bytes();
    Result small;
    small.index = 2;
    (void)first.append(small);
    first.commit();
  }
  const std::string bytes = read_file(segment(1));
  for (std::size_t size = whole; size < bytes.size(); ++size) {
    write_file(segment(1), bytes.substr(0, size));
    const auto recovered = journal().recover();
    ASSERT_EQ(indices_of(recovered), Indices{1}) << size;
    ASSERT_EQ(recovered.control, control_);
    ASSERT_EQ(recovered.cut_bytes, size - whole);
    ASSERT_EQ(std::filesystem::file_size(segment(1)), whole);
  }
}

TEST_P(JournalTest, WritesNothingBehindACut) {
  {
    Journal first = journal();
    first.append(control_);
    (void)put(first, 1);
  }
  std::filesystem::resize_file(segment(1), std::filesystem::file_size(segment(1)) - 1);
  {
    Journal second = journal();
    EXPECT_EQ(indices_of(second.recover()), Indices{});
    (void)put(second, 2);
    EXPECT_TRUE(has_segment(2));
  }
  Journal third = journal();
  const auto recovered = third.recover();
  EXPECT_EQ(indices_of(recovered), Indices{2});
  EXPECT_EQ(recovered.control, control_);
}

TEST_P(JournalTest, RefusesDamageAndNamesSegmentAndOffset) {
  std::uint64_t at = 0;
  {
    Journal first = journal();
    put(first, control_);
    at = first.bytes();
    (void)put(first, 1);
    (void)put(first, 2);
  }
  const std::string bytes = read_file(segment(1));
  for (const std::uint64_t offset : {at, at + 5, at + 40, at + kEntryHeaderBytes + 20}) {
    std::string damaged = bytes;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 1);
    write_file(segment(1), damaged);
    try {
      (void)journal().recover();
      ADD_FAILURE() << "accepted with byte " << offset << " flipped";
    } catch (const DamagedError& error) {
      const std::string expected = segment(1) + ": damaged at byte " + std::to_string(at) + ":";
      EXPECT_TRUE(std::string(error.what()).starts_with(expected)) << error.what();
    }
    EXPECT_EQ(read_file(segment(1)), damaged) << "and leaves it alone";
  }
}

TEST_P(JournalTest, RefusesASegmentThatIsTornAndNotTheLast) {
  {
    Journal first = journal(1);
    first.append(control_);
    (void)put(first, 1);
    (void)put(first, 2);
  }
  ASSERT_TRUE(has_segment(2));
  std::filesystem::resize_file(segment(1), std::filesystem::file_size(segment(1)) - 1);
  EXPECT_THROW((void)journal().recover(), DamagedError);
}

TEST_P(JournalTest, BeginsASegmentWhenTheLastHasItsShare) {
  {
    Journal first = journal(300);
    first.append(control_);
    (void)put(first, 1);
    (void)put(first, 2);
    (void)first.append(journaled(3));
    (void)first.append(journaled(4, 1000));
    (void)first.append(journaled(5));
    first.commit();
    EXPECT_FALSE(has_segment(3)) << "what is committed together stands together";
    (void)put(first, 6);
    EXPECT_TRUE(has_segment(3));
  }
  EXPECT_EQ(indices_of(journal().recover()), (Indices{1, 2, 3, 4, 5, 6}));
}

TEST_P(JournalTest, DropsSegmentsWhoseResultsAreAllOutAndKeepsTheControl) {
  {
    Journal first = journal(1);
    put(first, control_);  // segments 1,
    (void)put(first, 4);   // 2,
    (void)put(first, 2);   // 3,
    control_.total = 10;
    put(first, control_);  // and 4
    first.drop_below(2);
    EXPECT_FALSE(has_segment(1));
    first.drop_below(3);
    EXPECT_TRUE(has_segment(2));
    EXPECT_FALSE(has_segment(3));
    EXPECT_EQ(first.read(put(first, 6)).index, 6U);
  }
  {
    Journal second = journal(1);
    const auto recovered = second.recover();
    EXPECT_EQ(recovered.control, control_);
    EXPECT_EQ(indices_of(recovered), (Indices{4, 6}));
    second.drop_below(100);
    EXPECT_TRUE(has_segment(5)) << "only there is the control until something is committed";
    put(second, control_);
    second.drop_below(100);
    EXPECT_FALSE(has_segment(5));
  }
  EXPECT_EQ(journal().recover().control, control_);
}

TEST_P(JournalTest, GoesOnWithItsLastSegmentHoweverOftenItIsOpened) {
  for (std::uint32_t epoch = 1; epoch < 20; ++epoch) {
    Journal again = journal();
    const auto recovered = again.recover();
    EXPECT_EQ(recovered.results.size(), epoch - 1);
    control_.epochs = {{77, Epoch{epoch}}};
    put(again, control_);
    EXPECT_EQ(again.read(put(again, 100 + epoch)).index, 100 + epoch);
  }
  EXPECT_FALSE(has_segment(2));
  // What was written by one process and damaged later is told as ever.
  std::string bytes = read_file(segment(1));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(segment(1), bytes);
  EXPECT_THROW((void)journal().recover(), DamagedError);
}

TEST_P(JournalTest, DropsNothingForASegmentThatCannotBeWritten) {
  Journal first = journal(1);
  put(first, control_);
  (void)put(first, 1);
  (void)first.append(journaled(2));
  {
    const FileSizeLimit full(1);
    EXPECT_THROW(first.commit(), OutputError);
    first.drop_below(100);
  }
  EXPECT_FALSE(has_segment(1));
  EXPECT_TRUE(has_segment(2)) << "the control of the third is not whole";
  {
    Journal second = journal();
    EXPECT_EQ(second.recover().control, control_);
  }
}

TEST_P(JournalTest, GoesOnWhereTheDiskWasFull) {
  {
    Journal first = journal();
    put(first, control_);
    (void)first.append(journaled(1, 10'000));
    for (const rlim_t limit : {600U, 1'000U, 5'000U}) {
      const FileSizeLimit full(limit);
      EXPECT_THROW(first.commit(), OutputError);
      EXPECT_TRUE(first.has_uncommitted());
    }
    first.commit();
    (void)put(first, 2);
  }
  Journal second = journal();
  const auto recovered = second.recover();
  EXPECT_EQ(indices_of(recovered), (Indices{1, 2}));
  EXPECT_EQ(second.read(recovered.results[0].place).body, journaled(1, 10'000).body);
}

TEST_P(JournalTest, WhatCannotBeReadBackIsDamage) {
  Journal first = journal();
  first.append(control_);
  const JournalPlace place = put(first, 1);
  std::string bytes = read_file(segment(1));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::fstream(segment(1), std::ios::in | std::ios::out).write(bytes.data(), std::ssize(bytes));
  EXPECT_THROW((void)first.read(place), DamagedError);
}

TEST_P(JournalTest, PassesOverFilesThatAreNoSegments) {
  {
    Journal first = journal();
    put(first, control_);
  }
  for (const char* name :
       {"segment-1", "segment-", "segment-0000000x", "segment-00000000", "tasks"})
    write_file(path_ + "/" + name, "anything");
  EXPECT_EQ(journal().recover().control, control_);
}

TEST_P(JournalTest, AFileInThePlaceOfItsDirectoryIsAnError) {
  write_file(path_, "");
  EXPECT_THROW((void)journal().recover(), OutputError);
}

TEST_P(JournalTest, AnEntryOfAnotherVersionIsRefused) {
  for (const EntryHead& head :
       {EntryHead{.kind = EntryHead::Kind{3}}, EntryHead{.index = kMaxIndex}}) {
    Journal first = journal();
    std::string bytes;
    append_entry(bytes, head, [](std::string&) {});
    write_file(segment(1), bytes);
    EXPECT_THROW((void)first.recover(), DamagedError);
  }
}

// What the loss of power leaves of a group: any of its blocks, zeros for the others.
TEST(JournalPower, AGroupThatWasNeverSyncedIsCutHoweverMuchOfItIsThere) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("out.spill");
  const std::string segment = path + "/segment-00000001";
  std::uint64_t synced = 0;
  {
    Journal first(path, Durability::power);
    first.append({.job = job_number(1)});
    (void)first.append(journaled(1));
    first.commit();
    synced = first.bytes();
    for (Index index = 2; index < 20; ++index) (void)first.append(journaled(index, 1000));
    first.commit();
  }
  const std::string bytes = read_file(segment);
  constexpr std::size_t kBlock = 512;
  for (std::size_t hole = synced; hole + kBlock < bytes.size(); hole += kBlock) {
    std::string torn = bytes;
    std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(hole), kBlock, '\0');
    write_file(segment, torn);
    Journal second(path, Durability::power);
    const auto recovered = second.recover();
    ASSERT_GT(recovered.cut_bytes, 0U);
    const Indices indices = indices_of(recovered);
    for (std::size_t i = 0; i < indices.size(); ++i) ASSERT_EQ(indices[i], i + 1);
    ASSERT_GE(indices.size(), 1U);
    ASSERT_LT(indices.size(), 19U);
  }
}

}  // namespace
}  // namespace fetchline
