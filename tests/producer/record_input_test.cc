// Records of an earlier stage as input.
#include "producer/record_input.h"

#include <gtest/gtest.h>

#include "producer/task_source.h"
#include "proto/record_json.h"
#include "proto/task_hash.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

const EmitRule kBodyLines;
const EmitRule kJson{EmitRule::Kind::json, "/a"};

// Tasks as their URLs, and faults as they would be told, by index.
std::vector<std::string> taken(const std::string& input, const EmitRule& rule = kBodyLines) {
  const TemporaryDirectory directory;
  write_file(directory.file("in"), input);
  TaskSource source({}, directory.file("in"), rule);
  std::vector<std::string> seen;
  while (true) {
    const auto line = source.next(seen.size());
    if (!line && (source.ended() || !source.read_block())) return seen;
    if (!line) continue;
    if (const auto* task = std::get_if<Task>(&*line)) {
      EXPECT_EQ(task->index, seen.size());
      seen.push_back(task->url);
    } else {
      const auto& invalid = std::get<InvalidTask>(*line);
      EXPECT_EQ(invalid.index, seen.size());
      EXPECT_NE(invalid.hash, 0U);
      seen.push_back(errormsg_of(invalid));
    }
  }
}

using Seen = std::vector<std::string>;

std::string record_with(const std::string& fields) {
  return R"({"index":0,"url":"http://r/","outcome":"ok",)" + fields + "}\n";
}

TEST(RecordInput, StandsForTheLinesThatItEmits) {
  EXPECT_EQ(taken("http://a/\n" +
                  record_with(R"("emit":["http://b/","{\"url\":\"http://c/\"}","# no",""])") +
                  "http://d/\n"),
            (Seen{"http://a/", "http://b/", "http://c/", "http://d/"}));
  EXPECT_EQ(taken(record_with(R"("emit":[],"body":"http://x/")")), Seen{});
}

TEST(RecordInput, IsKnownByItsFieldsWhateverTheirOrder) {
  EXPECT_EQ(taken("{ \"outcome\": \"ok\", \"emit\": [\"http://b/\"], \"index\": 3 }"),
            Seen{"http://b/"});
  EXPECT_EQ(taken(R"({"url":"http://a/","index":1})"), Seen{"http://a/"});
  EXPECT_EQ(taken(R"({"url":"http://a/","outcome":"ok"})"), Seen{"http://a/"});
  EXPECT_EQ(taken(R"({"url":"http://a/","index":"1","outcome":"ok"})"), Seen{"http://a/"});
}

TEST(RecordInput, NamesTheRecordAndWhichOfItsLines) {
  EXPECT_EQ(taken("\n" + record_with(R"("emit":["http://b/","","x:y"])")),
            (Seen{"http://b/", "line 2, emit 3: scheme x is not allowed"}));
  EXPECT_EQ(taken(record_with(R"("emit":["\ufeffhttp://b/"])")).at(0).substr(0, 16),
            "line 1, emit 1: ");
}

TEST(RecordInput, EmitsByTheRuleOfTheCommandWhenItDoesNotSay) {
  EXPECT_EQ(taken(record_with(R"("body":"http://b/\nhttp://c/\n")")),
            (Seen{"http://b/", "http://c/"}));
  EXPECT_EQ(taken(record_with(R"("body_base64":"aHR0cDovL2IvCg==")")), Seen{"http://b/"});
  EXPECT_EQ(taken(record_with(R"("body":"{\"a\":[\"http://b/\"]}")"), kJson), Seen{"http://b/"});
  EXPECT_EQ(taken(record_with(R"("emit":["http://c/"],"body":"{\"a\":\"http://b/\"}")"), kJson),
            Seen{"http://c/"});
}

TEST(RecordInput, StandsForNothingWhenNothingIsThere) {
  for (const char* outcome : {"http_error", "timeout", "invalid_task", "of a later version"}) {
    EXPECT_EQ(taken(R"({"index":0,"outcome":")" + std::string(outcome) +
                    R"(","emit":["http://a/"],"body":"http://a/"})"),
              Seen{});
  }
}

TEST(RecordInput, IsOneFaultWhenItIsDamaged) {
  EXPECT_EQ(taken(record_with(R"("emit":"http://b/")") + "http://d/"),
            (Seen{"line 1: record: emit is not a list of strings", "http://d/"}));
  EXPECT_EQ(taken(record_with(R"("emit":["http://b/",1])")),
            Seen{"line 1: record: emit is not a list of strings"});
  EXPECT_EQ(taken(record_with(R"("emit":["http://b/\nhttp://c/"])")),
            Seen{"line 1: record: a line in emit is not one"});
  EXPECT_EQ(taken(record_with(R"("body_base64":"%%")")),
            Seen{"line 1: record: body_base64 is not base64"});
  EXPECT_EQ(taken(record_with(R"("body_base64":"/w==")")),
            Seen{"line 1: record: the body is not UTF-8"});
  EXPECT_EQ(taken(record_with(R"("file":"a.html")")),
            Seen{"line 1: record: it has neither emit nor body"});
  EXPECT_EQ(taken(record_with(R"("body":"x")"), kJson).at(0).substr(0, 37),
            "line 1: record: the body is not JSON:");
  const std::string whole = record_with(R"("emit":["http://b/"])");
  const Seen torn = taken(whole.substr(0, whole.size() - 9) + "\nhttp://d/");
  ASSERT_EQ(torn.size(), 2U);
  EXPECT_EQ(torn[0].substr(0, 17), "line 1: bad JSON:");
}

TEST(RecordInput, HasNoRecordsInIt) {
  const std::string inner = R"({\"index\":1,\"outcome\":\"ok\",\"emit\":[\"http://b/\"]})";
  EXPECT_EQ(taken(record_with("\"emit\":[\"" + inner + "\",\"http://c/\"]")),
            (Seen{"line 1, emit 1: record: a record within a record", "http://c/"}));
}

// What the stage before sends was emitted there.
TEST(RecordInput, IsNotWhatComesFromTheStageBefore) {
  TaskSource source(TaskSource::Fed{});
  source.feed(record_with(R"("emit":["http://b/"])") + "http://c/\n");
  const auto record = source.next(0);
  EXPECT_EQ(errormsg_of(std::get<InvalidTask>(record.value())),
            "line 1: record: a record within a record");
  EXPECT_EQ(std::get<Task>(source.next(1).value()).url, "http://c/");
}

TEST(RecordInput, MayBeLongButNotTheLinesThatItEmits) {
  const std::string pad(200'000, 'x');
  EXPECT_EQ(taken(record_with(R"("emit":["http://b/"],"body":")" + pad + "\"")), Seen{"http://b/"});
  EXPECT_EQ(taken(record_with(R"("emit":["http://b/)" + pad + R"(","http://c/"])")),
            (Seen{"line 1, emit 1: line is longer than 64 KiB", "http://c/"}));
  EXPECT_EQ(taken(R"({"index":0,"url":"http://b/","meta":")" + pad + "\"}"),
            Seen{"line 1: line is longer than 64 KiB"});
}

// Its times are others when the stage before is run again.
TEST(RecordInput, HashesWhatItEmitsAndNotItself) {
  const auto hashes = [](const std::string& line) {
    std::vector<std::uint64_t> all;
    TaskSource source({line}, "");
    while (const auto parsed = source.next(0)) {
      const auto* task = std::get_if<Task>(&*parsed);
      all.push_back(task != nullptr ? task->hash : std::get<InvalidTask>(*parsed).hash);
    }
    return all;
  };
  const auto record = [](const std::string& time, const std::string& rest) {
    return R"({"index":0,"url":"http://r/","outcome":"ok","time_total":)" + time + "," + rest + "}";
  };
  const std::string emit = R"("emit":["http://b/"])", damaged = R"("emit":1)";
  EXPECT_EQ(hashes(record("0.1", emit)), (std::vector{plain_task_hash("http://b/")}));
  EXPECT_EQ(hashes(record("0.1", emit)), hashes(record("0.2", emit)));
  EXPECT_EQ(hashes(record("0.1", damaged)), hashes(record("0.2", damaged)));
}

TEST(RecordInput, ReadsWhatIsWritten) {
  Result result;
  result.outcome = Outcome::ok;
  result.body = "\xff";
  result.meta = R"({"deep":[1]})";
  result.emit = {.lines = "http://a/\n{\"url\":\"http://b/\\u007f\\\\\"}\n\x7f\n", .error = {}};
  std::string record;
  append_record(record, result);
  EXPECT_EQ(taken(record).at(0), "http://a/");
  EXPECT_EQ(taken(record).size(), 3U);
}

}  // namespace
}  // namespace fetchline
