#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/collector/stage_log_scene.h"

namespace fetchline {
namespace {

TEST_F(StageLogTest, WithNothingToResumeItStartsAnew) {
  const StageLog log = resumed();
  EXPECT_FALSE(log.recovered);
  EXPECT_FALSE(log.finished);
  EXPECT_TRUE(log.journal);
  EXPECT_TRUE(log.waiting.empty());
  EXPECT_TRUE(std::filesystem::is_directory(spill_));
}

TEST_F(StageLogTest, AJobThatNeverBeganStartsAnew) {
  { const StageLog log = resumed(); }
  const StageLog log = resumed();
  EXPECT_FALSE(log.recovered);
}

TEST_F(StageLogTest, FindsWhatIsOutAndWhatWaits) {
  for (const auto durability : {Journal::Durability::process, Journal::Durability::power}) {
    leave_behind();
    CollectorOptions again = options();
    again.durability = durability;
    const StageLog log = open_stage_log(again);
    ASSERT_TRUE(log.recovered);
    EXPECT_EQ(log.recovered->control, control_);
    EXPECT_EQ(log.recovered->watermark, 3U);
    EXPECT_EQ(log.recovered->counts[static_cast<std::size_t>(Outcome::ok)], 2U);
    EXPECT_EQ(log.recovered->counts[static_cast<std::size_t>(Outcome::timeout)], 1U);
    EXPECT_EQ(waiting(log), (Indices{4, 6}));
    EXPECT_EQ(log.journal->read(log.waiting[1].place).body, "body of 6");
    EXPECT_EQ(log.hashes->read(0, 10), (std::vector<std::uint64_t>{100, 101, 102}));
  }
}

TEST_F(StageLogTest, CutsALastLineThatToreWhereverItTore) {
  leave_behind();
  const std::string text = read_file(path_);
  const std::size_t two = text.find('\n', text.find('\n') + 1) + 1;
  for (std::size_t size = text.size() - 1; size >= two; size -= 7) {
    write_file(path_, text.substr(0, size));
    const StageLog log = resumed();
    ASSERT_TRUE(log.recovered);
    EXPECT_EQ(log.recovered->watermark, 2U);
    EXPECT_EQ(log.hashes->read(0, 10), (std::vector<std::uint64_t>{100, 101}));
    EXPECT_EQ(read_file(path_), text.substr(0, two));
  }
}

TEST_F(StageLogTest, RefusesAnOutputThatIsNotWhatWasWritten) {
  leave_behind();
  const std::string text = read_file(path_);
  const std::size_t one = text.find('\n') + 1;
  const std::size_t two = text.find('\n', one) + 1;
  const std::string at_one = path_ + ": damaged at byte " + std::to_string(one) + ":";
  for (const std::string& damaged :
       {text.substr(0, one) + text.substr(two), text.substr(0, one) + "garbage\n" + text,
        text.substr(0, one) + "\n" + text.substr(one), text.substr(0, one) + text}) {
    write_file(path_, damaged);
    expect_damaged(at_one);
    EXPECT_EQ(read_file(path_), damaged) << "and leaves it alone";
  }
}

TEST_F(StageLogTest, RefusesADamagedJournalAndNamesTheSegment) {
  leave_behind();
  std::string bytes = read_file(segment_);
  bytes[60] = static_cast<char>(bytes[60] ^ 4);
  write_file(segment_, bytes);
  expect_damaged(segment_ + ": damaged at byte 0:");
}

TEST_F(StageLogTest, RefusesDamagedTaskHashesAndNamesTheFile) {
  leave_behind();
  const std::string tasks = spill_ + "/tasks";
  std::string bytes = read_file(tasks);
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  write_file(tasks, bytes);
  expect_damaged(tasks + ": damaged at byte 16:");
  std::filesystem::remove(tasks);
  expect_damaged(tasks + ": damaged at byte 0:");
}

TEST_F(StageLogTest, RefusesAResultFartherAheadThanAnyWindow) {
  leave_behind();
  {
    StageLog log = resumed();
    (void)log.journal->append(result(3 + kMostWindow - 1));
    log.journal->commit();
  }
  EXPECT_EQ(resumed().waiting.size(), 3U);
  {
    StageLog log = resumed();
    (void)log.journal->append(result(3 + kMostWindow));
    log.journal->commit();
  }
  expect_damaged("no result of task " + std::to_string(3 + kMostWindow) + " can be here");
}

TEST_F(StageLogTest, RefusesRecordsOfAJobThatTheJournalDoesNotName) {
  leave_behind(false);
  expect_damaged(spill_);
}

TEST_F(StageLogTest, AnOutputWithoutItsJournalIsRefusedAndLeftAlone) {
  for (const char* text : {"not ours\n", "not ours and without a newline", "{}\n{"}) {
    write_file(path_, text);
    expect_error<OutputError>(options(), "(without " + spill_ + " it cannot be resumed)");
    EXPECT_EQ(read_file(path_), text);
    EXPECT_FALSE(std::filesystem::exists(spill_));
  }
}

TEST_F(StageLogTest, AnEmptyOutputWithoutItsJournalStartsAnew) {
  write_file(path_, "");
  EXPECT_FALSE(resumed().recovered);
}

TEST_F(StageLogTest, AJournalWhoseOutputIsGoneGoesOnFromTheStart) {
  leave_behind();
  std::filesystem::remove(path_);
  const StageLog log = resumed();
  ASSERT_TRUE(log.recovered);
  EXPECT_EQ(log.recovered->watermark, 0U);
  EXPECT_EQ(waiting(log), (Indices{4, 6}));
  EXPECT_TRUE(log.hashes->read(0, 10).empty());
}

TEST_F(StageLogTest, AJournalInTheWayIsRefusedUnlessOneOfTheTwoFlagsIsGiven) {
  leave_behind();
  std::filesystem::remove(path_);
  expect_error<OutputError>(options(false), "--resume goes on with it, --overwrite starts anew");
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(std::filesystem::exists(segment_));
}

TEST_F(StageLogTest, OverwritingForgetsOutputManifestAndJournal) {
  leave_behind();
  finish(1);
  const StageLog log = open_stage_log(options(false, true));
  EXPECT_FALSE(log.recovered);
  EXPECT_FALSE(log.finished);
  EXPECT_EQ(read_file(path_), "");
  EXPECT_FALSE(std::filesystem::exists(segment_));
  EXPECT_FALSE(std::filesystem::exists(manifest_path(path_)));
  EXPECT_TRUE(log.hashes->read(0, 10).empty());
}

TEST_F(StageLogTest, AFinishedOutputIsDoneAndItsJournalIsOfNoUse) {
  leave_behind();
  sha256_ = sha256_of(read_file(path_));
  finish(std::filesystem::file_size(path_));
  const StageLog log = resumed();
  ASSERT_TRUE(log.finished);
  ASSERT_TRUE(log.recovered);
  EXPECT_EQ(log.recovered->control.job, control_.job);
  EXPECT_EQ(log.recovered->watermark, 3U);
  EXPECT_EQ(total_of(log.recovered->counts), 3U);
  EXPECT_FALSE(log.journal);
  EXPECT_FALSE(std::filesystem::exists(spill_));
}

TEST_F(StageLogTest, AFinishedOutputThatChangedIsDamaged) {
  leave_behind();
  const std::string text = read_file(path_);
  sha256_ = sha256_of(text);
  finish(text.size());
  const std::string sizes = "bytes, its manifest says " + std::to_string(text.size());
  write_file(path_, text + "x");
  expect_damaged(sizes);
  write_file(path_, text.substr(1));
  expect_damaged(sizes);
  std::string changed = text;
  changed[text.size() / 2] = static_cast<char>(changed[text.size() / 2] ^ 1);
  write_file(path_, changed);
  expect_damaged(path_ + ": damaged: its sha256");
  EXPECT_EQ(read_file(path_), changed);
  write_file(manifest_path(path_), "{");
  expect_damaged(manifest_path(path_));
}

TEST_F(StageLogTest, AManifestWhoseOutputIsGoneVouchesForNothing) {
  finish(1000);
  const StageLog log = resumed();
  EXPECT_FALSE(log.finished);
  EXPECT_FALSE(std::filesystem::exists(manifest_path(path_)));
}

TEST_F(StageLogTest, TheSecondOfTwoProcessesIsLockedOut) {
  const StageLog first = resumed();
  expect_error<OutputError>(options(), "another process is writing it");
  expect_error<OutputError>(options(false, true), "another process is writing it");
}

TEST_F(StageLogTest, AfterTheEndNoJournalIsLeft) {
  StageLog log = resumed();
  log.journal->append(control_);
  log.journal->commit();
  log.remove_journal(path_);
  EXPECT_FALSE(std::filesystem::exists(spill_));
  log.remove_journal(path_);
}

TEST_F(StageLogTest, ASmallLimitMakesSmallSegments) {
  CollectorOptions small = options();
  small.spill_limit_bytes = std::uint64_t{1} << 20;
  StageLog log = open_stage_log(small);
  Result large = result(1);
  large.body.assign(100'000, 'x');
  log.journal->append(control_);
  for (large.index = 1; large.index < 10; ++large.index) {
    (void)log.journal->append(large);
    log.journal->commit();
    log.journal->drop_below(large.index + 1);
  }
  EXPECT_LT(log.journal->bytes(), 300'000U);
}

TEST_F(StageLogTest, WorksInAnotherDirectoryAndThroughALink) {
  std::filesystem::create_directory(directory_.file("there"));
  const std::string real = directory_.file("there/real.ndjson");
  for (const std::string& path : {real, directory_.file("link")}) {
    if (path != real) std::filesystem::create_symlink(real, path);
    path_ = path;
    leave_behind();
    const StageLog log = resumed();
    ASSERT_TRUE(log.recovered);
    EXPECT_EQ(log.recovered->watermark, 3U);
    EXPECT_TRUE(std::filesystem::is_directory(path + ".spill"));
    EXPECT_FALSE(read_file(real).empty());
  }
}

TEST_F(StageLogTest, ALinkToAFileThatIsNotThereYetHasAJournalToo) {
  std::filesystem::create_symlink(directory_.file("real"), path_);
  EXPECT_TRUE(resumed().journal);
}

TEST_F(StageLogTest, WhatIsNoFileHasNothingToResume) {
  path_ = "/dev/null";
  const StageLog log = resumed();
  EXPECT_FALSE(log.journal);
  EXPECT_FALSE(log.recovered);
  EXPECT_FALSE(std::filesystem::exists("/dev/null.spill"));
  path_ = "-";
  EXPECT_FALSE(resumed().journal);
}

TEST_F(StageLogTest, AFifoIsNotItsOwnReader) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  FileDescriptor reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::signal(SIGPIPE, SIG_IGN);
  const StageLog log = resumed();
  EXPECT_FALSE(log.journal);
  reader = FileDescriptor();
  log.sink->write(result(0));
  EXPECT_THROW(log.sink->flush(), OutputError);
}

TEST_F(StageLogTest, AFileInThePlaceOfTheJournalIsRefused) {
  write_file(spill_, "");
  expect_error<OutputError>(options(), spill_);
}

}  // namespace
}  // namespace fetchline
