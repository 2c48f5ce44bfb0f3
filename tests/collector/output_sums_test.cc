#include "collector/output_sums.h"

#include <gtest/gtest.h>

#include "tests/collector/temporary_directory.h"
#include "tests/proto/start.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

class OutputSumsTest : public testing::Test {
 protected:
  static OutputSum sum(std::uint64_t bytes, char digit) { return {bytes, std::string(64, digit)}; }
  [[nodiscard]] std::vector<std::uint64_t> known() const {
    std::vector<std::uint64_t> all;
    for (const OutputSum& each : read_output_sums(path_)) all.push_back(each.bytes);
    return all;
  }
  void note_two() {
    OutputSums sums(path_, 0);
    sums.note(sum(10, 'a'), kStart);
    sums.note(sum(200, 'b'), kStart);
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.file("sums");
};

TEST_F(OutputSumsTest, AreReadAsTheyWereNoted) {
  EXPECT_TRUE(read_output_sums(path_).empty());
  note_two();
  const auto sums = read_output_sums(path_);
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums[1].bytes, 200U);
  EXPECT_EQ(sums[1].sha256, std::string(64, 'b'));
}

TEST_F(OutputSumsTest, AreDueAfterSoManyBytesOrSoLongATime) {
  OutputSums sums(path_, 5);
  EXPECT_FALSE(sums.is_due(5, kStart)) << "nothing is new";
  EXPECT_TRUE(sums.is_due(6, kStart));
  sums.note(sum(6, 'a'), kStart);
  EXPECT_FALSE(sums.is_due(6 + OutputSums::kApartBytes - 1, kStart + 999ms));
  EXPECT_TRUE(sums.is_due(6 + OutputSums::kApartBytes, kStart));
  EXPECT_TRUE(sums.is_due(7, kStart + 1s));
  EXPECT_TRUE(sums.is_due(7, kStart, true));
  EXPECT_FALSE(sums.is_due(6, kStart + 1s, true));
}

TEST_F(OutputSumsTest, ForgetWhatWasCutOffTheOutput) {
  note_two();
  OutputSums sums(path_, 199);
  EXPECT_EQ(known(), std::vector<std::uint64_t>{10});
  sums.note(sum(300, 'c'), kStart);
  EXPECT_EQ(known(), (std::vector<std::uint64_t>{10, 300}));
}

TEST_F(OutputSumsTest, EndWhereALineIsNotWhole) {
  note_two();
  const std::string text = read_file(path_);
  const std::size_t second = text.find('\n') + 1;
  for (std::size_t size = second; size < text.size(); ++size) {
    write_file(path_, text.substr(0, size));
    EXPECT_EQ(known(), std::vector<std::uint64_t>{10}) << size;
  }
  write_file(path_, text.substr(0, second) + "x\n" + text.substr(second));
  EXPECT_EQ(known(), std::vector<std::uint64_t>{10});
  write_file(path_, text + text);
  EXPECT_EQ(known(), (std::vector<std::uint64_t>{10, 200})) << "in ascending order only";
  const OutputSums sums(path_, 1000);
  EXPECT_EQ(read_file(path_), text);
}

}  // namespace
}  // namespace fetchline
