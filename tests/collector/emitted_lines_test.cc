#include "collector/emitted_lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "collector/damaged.h"
#include "collector/existing_output.h"
#include "proto/codec.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using Texts = std::vector<std::string>;

class Emitted : public testing::Test {
 protected:
  EmittedLines lines_of(const std::string& text) {
    write_file(path_, text);
    return EmittedLines({FileDescriptor(open(path_.c_str(), O_RDONLY | O_CLOEXEC)), "out"});
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.file("out");
};

std::string record(int index, const std::string& more) {
  return R"({"index":)" + std::to_string(index) + R"(,"outcome":"ok")" + more + "}\n";
}

TEST_F(Emitted, AreReadRecordByRecordAndAgainFromTheStart) {
  auto lines = lines_of(record(0, R"(,"emit":["http://a/","{\"url\":\"http://b/\"}"])") +
                        record(1, R"(,"emit":[])") + "{\"index\":2,\"outcome\":\"timeout\"}\n" +
                        record(3, R"(,"emit":["c"])"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(lines.next(), (Texts{"http://a/", R"({"url":"http://b/"})"}));
    EXPECT_EQ(lines.next(), Texts());
    EXPECT_EQ(lines.next(), Texts());
    EXPECT_EQ(lines.next(), Texts{"c"});
    lines.rewind();
  }
}

TEST_F(Emitted, OfRecordsLongerThanABlock) {
  const std::string large = R"(,"body":")" + std::string(1'000'000, 'x') + '"';
  auto lines = lines_of(record(0, large + R"(,"emit":["a"])") + record(1, R"(,"emit":["b"])") +
                        record(2, large + R"(,"emit":["c"])"));
  EXPECT_EQ(lines.next(), Texts{"a"});
  EXPECT_EQ(lines.next(), Texts{"b"});
  EXPECT_EQ(lines.next(), Texts{"c"});
}

TEST_F(Emitted, AreReadWhileTheFileGrows) {
  auto lines = lines_of(record(0, R"(,"emit":["a"])") + R"({"index":1,)");
  EXPECT_EQ(lines.next(), Texts{"a"});
  const int file = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const std::string rest = "\"outcome\":\"ok\",\"emit\":[\"b\"]}\n";
  EXPECT_EQ(write(file, rest.data(), rest.size()), static_cast<ssize_t>(rest.size()));
  close(file);
  EXPECT_EQ(lines.next(), Texts{"b"});
}

TEST_F(Emitted, ThatAreTooLongForATaskAreCutBehindThat) {
  auto lines =
      lines_of(record(0, R"(,"emit":[")" + std::string(2 * kMaxLineBytesOnWire, 'x') + R"("])"));
  EXPECT_EQ(lines.next(), Texts{std::string(kMaxLineBytesOnWire, 'x')});
}

TEST_F(Emitted, MustBeSaidByARecordThatIsOk) {
  auto lines = lines_of(record(0, ""));
  EXPECT_THROW((void)lines.next(), ResumeMismatch);
}

TEST_F(Emitted, OfAnotherRecordHalfALineOrHalfARecordAreDamage) {
  EXPECT_THROW((void)lines_of(record(1, R"(,"emit":[])")).next(), DamagedError);
  EXPECT_THROW((void)lines_of(record(0, R"(,"emit":["a\nb"])")).next(), DamagedError);
  EXPECT_THROW((void)lines_of(record(0, R"(,"emit":[1])")).next(), DamagedError);
  EXPECT_THROW((void)lines_of(R"({"index":0,"outcome":"ok","emit":[]})").next(), DamagedError);
}

}  // namespace
}  // namespace fetchline
