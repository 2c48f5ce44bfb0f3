#include "collector/task_hashes.h"

#include <gtest/gtest.h>

#include "collector/damaged.h"
#include "proto/task_hash.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using Hashes = std::vector<std::uint64_t>;

class TaskHashesTest : public testing::Test {
 protected:
  TaskHashesTest() {
    TaskHashes hashes(path_, 0);
    for (const std::uint64_t hash : {11, 22, 33}) hashes.append(hash);
    hashes.flush();
  }
  void expect_damaged(std::size_t at, const std::string& what) {
    const std::string start = path_ + ": damaged at byte " + std::to_string(at) + ": " + what;
    try {
      const TaskHashes hashes(path_, 3);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const DamagedError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(start)) << error.what();
    }
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("tasks");
};

TEST_F(TaskHashesTest, GivesBackWhatWasWritten) {
  const TaskHashes hashes(path_, 3);
  EXPECT_EQ(hashes.read(0, 3), (Hashes{11, 22, 33}));
  EXPECT_EQ(hashes.read(1, 1), Hashes{22});
  EXPECT_EQ(hashes.read(2, 100), Hashes{33});
  EXPECT_EQ(hashes.read(50, 100), Hashes{});
}

TEST_F(TaskHashesTest, ForgetsWhatIsBeyondTheRecords) {
  TaskHashes hashes(path_, 1);
  hashes.append(44);
  hashes.flush();
  EXPECT_EQ(hashes.read(0, 10), (Hashes{11, 44}));
}

TEST_F(TaskHashesTest, GoesOnWithTheChain) {
  {
    TaskHashes hashes(path_, 2);
    hashes.append(44);
    hashes.flush();
  }
  TaskHashes hashes(path_, 3);
  EXPECT_EQ(hashes.read(0, 10), (Hashes{11, 22, 44}));
  const auto chain = chained_hash(chained_hash(chained_hash(0, 11), 22), 44);
  EXPECT_EQ(hashes.chain(), chain);
  hashes.append(0);
  EXPECT_FALSE(hashes.chain()) << "of a task whose hash is not known";
}

TEST_F(TaskHashesTest, RefusesABitThatChangedWhereverItIs) {
  const std::string bytes = read_file(path_);
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 7) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    write_file(path_, changed);
    expect_damaged(bit / 128 * 16, "not the task hash due here");
    EXPECT_EQ(read_file(path_), changed) << "and leaves it alone";
  }
}

TEST_F(TaskHashesTest, RefusesEntriesThatAreNotWhereTheyWere) {
  const std::string bytes = read_file(path_);
  write_file(path_, bytes.substr(16) + bytes.substr(0, 16));
  expect_damaged(0, "not the task hash due here");
}

TEST_F(TaskHashesTest, RefusesToLackOneOfARecord) {
  const std::string bytes = read_file(path_);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_file(path_, bytes.substr(0, size));
    expect_damaged(size / 16 * 16, "it ends here, and 3 records are out");
  }
  std::filesystem::remove(path_);
  expect_damaged(0, "it ends here");
}

TEST_F(TaskHashesTest, TakesWhatIsTornBehindTheRecordsForWhatItIs) {
  const std::string bytes = read_file(path_);
  for (std::size_t size = 32; size < bytes.size(); ++size) {
    write_file(path_, bytes.substr(0, size));
    EXPECT_EQ(TaskHashes(path_, 2).read(0, 10), (Hashes{11, 22}));
  }
}

TEST_F(TaskHashesTest, RecoversMoreThanAreReadAtOnce) {
  constexpr Index kMany = 200'000;
  std::filesystem::remove(path_);
  {
    TaskHashes hashes(path_, 0);
    for (Index index = 0; index < kMany; ++index) hashes.append(index + 1);
    hashes.flush();
  }
  EXPECT_EQ(TaskHashes(path_, kMany).read(kMany - 1, 5), Hashes{kMany});
  std::filesystem::resize_file(path_, (kMany - 5) * 16);
  try {
    const TaskHashes hashes(path_, kMany);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DamagedError& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string((kMany - 5) * 16)), std::string::npos);
  }
}

}  // namespace
}  // namespace fetchline
