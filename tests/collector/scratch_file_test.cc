#include "collector/scratch_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

class ScratchFileTest : public testing::Test {
 protected:
  ScratchFileTest() { setenv("TMPDIR", directory_.path().c_str(), 1); }
  ~ScratchFileTest() override {
    if (before_ == nullptr) unsetenv("TMPDIR");
    if (before_ != nullptr) setenv("TMPDIR", before_, 1);
  }

  // Over a descriptor of its own, as the next stage's thread does.
  static std::string read_all(const AppendFile& file) {
    const FileDescriptor reader = file.reader();
    std::string bytes(4096, '\0');
    const auto got = pread(reader.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  const TemporaryDirectory directory_;

 private:
  const char* before_ = std::getenv("TMPDIR");
};

TEST_F(ScratchFileTest, HoldsWhatWasFlushedAndLeavesNoName) {
  AppendFile file = open_scratch_file();
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  file.tail() += "abc";
  EXPECT_EQ(read_all(file), "");
  file.flush();
  file.flush();
  file.tail() += "de";
  file.flush();
  EXPECT_EQ(read_all(file), "abcde");
}

}  // namespace
}  // namespace fetchline
