#include "proto/record_line.h"

#include <gtest/gtest.h>

#include "proto/json_text.h"
#include "proto/record_json.h"

namespace fetchline {
namespace {

std::string line_of(const Result& result) {
  std::string line;
  append_record(line, result, {});
  line.pop_back();
  return line;
}

TEST(RecordLine, ReadsIndexAndOutcomeOfEveryRecord) {
  RecordReader reader;
  for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
    Result result;
    result.index = kMaxIndex - outcome;
    result.outcome = static_cast<Outcome>(outcome);
    result.id = R"(","outcome":"ok","index":5)";
    result.body = "a\nb\0c\"";
    const auto head = reader.read(line_of(result));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->index, result.index);
    EXPECT_EQ(head->outcome, result.outcome);
  }
}

TEST(RecordLine, ReadsRecordsThatAreNotUtf8OrHuge) {
  RecordReader reader;
  Result result;
  result.index = 4;
  result.body = std::string(std::size_t{3} << 20, '\xff');
  result.header_block = "A: \xe9\r\n";
  EXPECT_EQ(reader.read(line_of(result)).value_or(RecordHead{}).index, 4U);
}

TEST(RecordLine, ReadsRecordsWithMetaAsDeepAsIsTaken) {
  RecordReader reader;
  Result result;
  result.index = 4;
  for (std::size_t depth = 1020; depth < 1030; ++depth) {
    result.meta = std::string(depth, '[') + std::string(depth, ']');
    if (is_json_on_one_line(result.meta)) {
      EXPECT_TRUE(reader.read(line_of(result))) << depth;
    }
  }
}

TEST(RecordLine, IsNoRecordBeforeItsLastByte) {
  RecordReader reader;
  const std::string line = line_of({});
  for (std::size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(reader.read(line.substr(0, size))) << size;
  }
}

TEST(RecordLine, IsNoRecordWhenItIsSomethingElse) {
  RecordReader reader;
  for (const char* line :
       {"", "garbage", "{}", "[]", R"({"index":1})", R"({"index":-1,"outcome":"ok"})",
        R"({"index":"1","outcome":"ok"})", R"({"index":1,"outcome":"fine"})"}) {
    EXPECT_FALSE(reader.read(line)) << line;
  }
  EXPECT_TRUE(reader.read(R"({"index":1,"outcome":"ok"})")) << "it can be used again";
}

}  // namespace
}  // namespace fetchline
