#include "collector/task_hashes.h"

#include <gtest/gtest.h>

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

TEST_F(TaskHashesTest, DoesNotKnowWhatLacks) {
  TaskHashes hashes(path_, 5);
  hashes.append(66);
  hashes.flush();
  EXPECT_EQ(hashes.read(0, 10), (Hashes{11, 22, 33, 0, 0, 66}));
}

TEST_F(TaskHashesTest, DoesNotTakeAPartOfAHashForOne) {
  for (std::uintmax_t size = 23; size > 16; --size) {
    std::filesystem::resize_file(path_, size);
    const TaskHashes hashes(path_, 3);
    EXPECT_EQ(hashes.read(0, 3), (Hashes{11, 22, 0}));
  }
}

}  // namespace
}  // namespace fetchline
