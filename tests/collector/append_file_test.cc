#include "collector/append_file.h"

#include <gtest/gtest.h>

#include "tests/collector/file_size_limit.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

class AppendFileTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.file("file");
};

TEST_F(AppendFileTest, WritesWhatWaitsWhenItIsAskedTo) {
  AppendFile file = AppendFile::open(path_);
  file.tail() += "abc";
  EXPECT_EQ(file.size(), 3U);
  EXPECT_EQ(file.pending_bytes(), 3U);
  EXPECT_EQ(read_file(path_), "");
  file.flush();
  EXPECT_EQ(file.pending_bytes(), 0U);
  file.tail() += "de";
  EXPECT_EQ(file.size(), 5U);
  file.flush();
  file.sync();
  EXPECT_EQ(read_file(path_), "abcde");
}

TEST_F(AppendFileTest, GoesOnAtTheEndOfWhatIsThere) {
  write_file(path_, "abc");
  AppendFile file = AppendFile::open(path_);
  EXPECT_EQ(file.size(), 3U);
  file.tail() += "d";
  file.flush();
  EXPECT_EQ(read_file(path_), "abcd");
}

TEST_F(AppendFileTest, ANewOneIsMadeWhenThereIsSomethingToWrite) {
  AppendFile file = AppendFile::create(path_);
  file.flush();
  EXPECT_FALSE(std::filesystem::exists(path_));
  file.tail() += "a";
  file.flush();
  EXPECT_EQ(read_file(path_), "a");
}

TEST_F(AppendFileTest, ANewOneReplacesNothing) {
  write_file(path_, "abc");
  AppendFile file = AppendFile::create(path_);
  file.tail() += "d";
  EXPECT_THROW(file.flush(), OutputError);
  EXPECT_EQ(read_file(path_), "abc");
}

TEST_F(AppendFileTest, LosesAndRepeatsNoByteWhenTheDiskIsFull) {
  AppendFile file = AppendFile::open(path_);
  std::string expected;
  for (const rlim_t limit : {10U, 10U, 25U, 1'000U}) {
    const std::string more(300, static_cast<char>('a' + limit % 26));
    expected += more;
    file.tail() += more;
    const FileSizeLimit full(limit);
    EXPECT_THROW(file.flush(), OutputError);
    EXPECT_EQ(file.size(), expected.size());
    EXPECT_EQ(file.pending_bytes(), expected.size() - limit);
  }
  file.flush();
  EXPECT_EQ(read_file(path_), expected);
}

TEST_F(AppendFileTest, ReadsAnywhereAndLessWhereItEnds) {
  AppendFile file = AppendFile::open(path_);
  file.tail() += "abcdef";
  file.flush();
  EXPECT_EQ(file.read(2, 3), "cde");
  EXPECT_EQ(file.read(4, 10), "ef");
  EXPECT_EQ(file.read(10, 10), "");
}

TEST_F(AppendFileTest, CutsAndGoesOnThere) {
  AppendFile file = AppendFile::open(path_);
  file.tail() += "abcdef";
  file.flush();
  file.cut(2);
  file.tail() += "X";
  file.flush();
  EXPECT_EQ(read_file(path_), "abX");
}

TEST_F(AppendFileTest, RemovesItsNameOnce) {
  AppendFile file = AppendFile::open(path_);
  file.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
  file.remove();
}

TEST_F(AppendFileTest, FollowsNoLink) {
  write_file(directory_.file("other"), "abc");
  std::filesystem::create_symlink(directory_.file("other"), path_);
  EXPECT_THROW(AppendFile::open(path_), OutputError);
}

}  // namespace
}  // namespace fetchline
