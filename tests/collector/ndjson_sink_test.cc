#include "collector/ndjson_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using Existing = OutputFile::Existing;

Result result_at(Index index) {
  Result result;
  result.index = index;
  result.outcome = Outcome::ok;
  result.url = "http://a.example/" + std::to_string(index);
  result.body = std::string(index % 7 * 100, 'b') + (index % 5 == 0 ? "\xff" : "");
  return result;
}

std::string sha256_of(const std::string& bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

TEST(NdjsonSink, WritesOneLineAResultInOrder) {
  const TemporaryDirectory directory;
  const auto path = directory.file("out");
  NdjsonSink sink(path, Existing::refuse, {});
  for (Index index = 0; index < 1000; ++index) {
    sink.write(result_at(index));
    if (!sink.has_room()) sink.flush();
  }
  sink.finish();
  std::istringstream lines(read_file(path));
  std::string line;
  Index index = 0;
  for (; std::getline(lines, line); ++index) {
    ASSERT_EQ(nlohmann::json::parse(line)["index"], index);
  }
  EXPECT_EQ(index, 1000u);
}

TEST(NdjsonSink, TotalsAreThoseOfTheFile) {
  const TemporaryDirectory directory;
  const auto path = directory.file("out");
  NdjsonSink sink(path, Existing::refuse, {});
  for (Index index = 0; index < 10; ++index) sink.write(result_at(index));
  const auto totals = sink.finish();
  const auto bytes = read_file(path);
  EXPECT_EQ(totals.bytes, bytes.size());
  EXPECT_EQ(totals.sha256, sha256_of(bytes));
}

TEST(NdjsonSink, NoResultsAreAnEmptyFile) {
  const TemporaryDirectory directory;
  NdjsonSink sink(directory.file("out"), Existing::refuse, {});
  EXPECT_EQ(sink.finish().bytes, 0u);
  EXPECT_EQ(read_file(directory.file("out")), "");
}

TEST(NdjsonSink, LeavesOutWhatItWasToldTo) {
  const TemporaryDirectory directory;
  NdjsonSink sink(directory.file("out"), Existing::refuse, {.body = false, .headers = false});
  sink.write(result_at(1));
  sink.finish();
  const auto record = nlohmann::json::parse(read_file(directory.file("out")));
  EXPECT_FALSE(record.contains("body"));
  EXPECT_FALSE(record.contains("headers"));
}

TEST(NdjsonSink, AResultLargerThanTheRoomIsTakenWhole) {
  const TemporaryDirectory directory;
  NdjsonSink sink(directory.file("out"), Existing::refuse, {});
  auto large = result_at(0);
  large.body = std::string(10 * OutputFile::kRoomBytes, 'x');
  sink.write(large);
  EXPECT_FALSE(sink.has_room());
  sink.flush();
  EXPECT_TRUE(sink.has_room());
  sink.write(result_at(1));
  const auto totals = sink.finish();
  EXPECT_EQ(totals.sha256, sha256_of(read_file(directory.file("out"))));
}

TEST(NdjsonSink, FinishingBeforeTheReaderTookItAllIsOurMistake) {
  const TemporaryDirectory directory;
  const auto path = directory.file("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const FileDescriptor reader(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  NdjsonSink sink(path, Existing::refuse, {});
  auto large = result_at(0);
  large.body = std::string(OutputFile::kRoomBytes, 'x');
  sink.write(large);
  sink.flush();
  EXPECT_GE(sink.blocked_fd(), 0);
  EXPECT_THROW(sink.finish(), std::logic_error);
}

TEST(NdjsonSink, RoomIsWorthWaitingForInAFileAndNotInADevice) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(NdjsonSink(directory.file("out"), Existing::refuse, {}).is_file());
  EXPECT_FALSE(NdjsonSink("/dev/full", Existing::refuse, {}).is_file());
}

TEST(NdjsonSink, AFullDiskIsToldFromFlushAndNotFromWrite) {
  NdjsonSink sink("/dev/full", Existing::refuse, {});
  sink.write(result_at(0));
  EXPECT_THROW(sink.flush(), OutputError);
  sink.write(result_at(1));
  EXPECT_THROW(sink.finish(), OutputError);
}

}  // namespace
}  // namespace fetchline
