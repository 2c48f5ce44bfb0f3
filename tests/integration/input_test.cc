// What the lines of an input may be, and what becomes of those that are no tasks.
#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

class Input : public OnEachLayout {
 protected:
  // The exit code of a job with this input, and its records.
  struct Finished {
    int code;
    Records records;
    std::string err;
  };
  Finished fetch(const std::string& text, const Args& verdict = {}) {
    const TemporaryDirectory directory;
    write_file(directory.file("in"), text);
    Job job(GetParam(),
            {.tasks = {"-i", directory.file("in"), "--retry", "0"}, .verdict = verdict});
    const int code = job.exit_code();
    return {code, parse_records(job.writer().stdout_text()), job.stderr_text()};
  }

  void expect_invalid(const json& record, std::size_t line) {
    EXPECT_EQ(record.at("outcome"), "invalid_task");
    const std::string message = record.at("errormsg");
    EXPECT_TRUE(message.find("line " + std::to_string(line) + ":") != std::string::npos) << message;
    EXPECT_EQ(record.at("response_code"), 0);
  }

  const Origin origin_;
};
INSTANTIATE_TEST_SUITE_P(, Input, kEitherShape, name_of);

TEST_P(Input, GivesALineThatIsNoTaskItsPlaceAndItsReason) {
  const std::string long_line = origin_.url("/") + std::string(70'000, 'x');
  const Finished finished = fetch("\xef\xbb\xbf" + origin_.url("/0?delay=100") + "\r\n" +  // 1
                                  "not a url\n" +                                          // 2
                                  "# a comment\n" +                                        // 3
                                  "\n" +                                                   // 4
                                  "{\"url\": \n" +                                         // 5
                                  origin_.url("/3") + "\r\n" +                             // 6
                                  "ftp://127.0.0.1/file\n" +                               // 7
                                  "   \t\r\n" +                                            // 8
                                  long_line + "\n" +                                       // 9
                                  "  # indented\n" +                                       // 10
                                  "{\"id\": \"without\"}\n" +                              // 11
                                  "{\"url\": \"" + origin_.url("/7") + "\"}");             // 12
  EXPECT_EQ(finished.code, 4);
  const Records& records = finished.records;
  ASSERT_EQ(records.size(), 8U);
  EXPECT_EQ(records[0].at("url"), origin_.url("/0?delay=100"));
  EXPECT_EQ(records[3].at("url"), origin_.url("/3"));
  EXPECT_EQ(records[7].at("url"), origin_.url("/7"));
  for (const std::size_t good : {0, 3, 7}) EXPECT_EQ(records[good].at("outcome"), "ok") << good;
  expect_invalid(records[1], 2);
  expect_invalid(records[2], 5);
  expect_invalid(records[4], 7);
  expect_invalid(records[5], 9);
  expect_invalid(records[6], 11);
  EXPECT_EQ(records[6].at("id"), "without");
  EXPECT_EQ(origin_.requests(), 3U);
}

TEST_P(Input, KeepsTheOrderWithABadLineAtEveryOtherPlace) {
  std::string text;
  constexpr std::size_t kPairs = 1000;
  for (std::size_t i = 0; i < kPairs; ++i) {
    text += origin_.url("/" + std::to_string(i)) + "\nbad line " + std::to_string(i) + "\n";
  }
  const Finished finished = fetch(text);
  EXPECT_EQ(finished.code, 4);
  ASSERT_EQ(finished.records.size(), 2 * kPairs);
  for (std::size_t i = 0; i < kPairs; ++i) {
    ASSERT_EQ(body_of(finished.records[2 * i]), "/" + std::to_string(i));
    expect_invalid(finished.records[2 * i + 1], 2 * i + 2);
    ASSERT_EQ(finished.records[2 * i + 1].at("url"), "bad line " + std::to_string(i));
  }
}

TEST_P(Input, SaysWithItsExitCodeThatNothingSucceeded) {
  EXPECT_EQ(fetch("nothing\nof this\nis a url\n").code, 5);
  EXPECT_EQ(fetch(origin_.url("/?status=404") + "\n").code, 5);
}

TEST_P(Input, JudgesFailuresAsFailOnSays) {
  std::string text;
  for (int i = 0; i < 7; ++i) text += origin_.url("/") + "\n";
  text += "bad\n" + origin_.url("/?status=404") + "\nbad\n";  // 3 of 10
  EXPECT_EQ(fetch(text, {"--fail-on", "never"}).code, 0);
  EXPECT_EQ(fetch(text, {"--fail-on", "4"}).code, 0);
  EXPECT_EQ(fetch(text, {"--fail-on", "3"}).code, 4);
  EXPECT_EQ(fetch(text, {"--fail-on", "31%"}).code, 0);
  EXPECT_EQ(fetch(text, {"--fail-on", "20%"}).code, 4);
}

TEST_P(Input, IsFineWhenEmptyButWarns) {
  const TemporaryDirectory directory;
  for (const char* text : {"", "\n", "# only\n\n# comments"}) {
    const Finished finished = fetch(text);
    EXPECT_EQ(finished.code, 0);
    EXPECT_TRUE(finished.records.empty());
    EXPECT_NE(finished.err.find("warning"), std::string::npos) << finished.err;
    if (HasFailure()) return;
  }
  const std::string output = directory.file("out");
  Job job(GetParam(), {.tasks = {"-i", "/dev/null"}, .output = {"-o", output}});
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(read_file(output), "");
  expect_manifest(output, {});
}

TEST_P(Input, TakesTasksAsJsonObjects) {
  const std::string echo = origin_.url("/?echo=1");
  const json tasks[] = {
      {{"url", echo}, {"id", "a \"quoted\" ☃"}, {"meta", {{"deep", {1, nullptr, "x"}}}}},
      {{"url", echo}, {"method", "PUT"}, {"headers", {{"X-One", "1"}}}, {"body", "text ☃"}},
      {{"url", echo}, {"body_base64", "AP8="}, {"meta", nullptr}},
      {{"url", echo}, {"body", "x=1"}, {"headers", {{"Content-Type", "text/x"}}}},
      {{"url", echo}, {"method", "DELETE"}, {"id", "fifth"}}};
  std::string text;
  for (const json& task : tasks) text += task.dump() + "\n";
  const Finished finished = fetch(text);
  EXPECT_EQ(finished.code, 0);
  ASSERT_EQ(finished.records.size(), std::size(tasks));
  const auto body = [&](std::size_t i) { return body_of(finished.records[i]); };
  const auto contains = [&](std::size_t i, const std::string& part) {
    return body(i).find(part) != std::string::npos;
  };
  EXPECT_EQ(finished.records[0].at("id"), tasks[0].at("id"));
  EXPECT_EQ(finished.records[0].at("meta"), tasks[0].at("meta"));
  EXPECT_TRUE(body(0).starts_with("GET /?echo=1 HTTP/1.1\r\n")) << body(0);
  EXPECT_TRUE(body(1).starts_with("PUT ") && body(1).ends_with("\r\n\r\ntext ☃")) << body(1);
  EXPECT_TRUE(contains(1, "X-One: 1\r\n")) << body(1);
  EXPECT_EQ(finished.records[1].at("method"), "PUT");
  EXPECT_TRUE(body(2).starts_with("POST ")) << body(2);
  EXPECT_TRUE(body(2).ends_with(std::string("\r\n\r\n\x00\xff", 6)));
  EXPECT_TRUE(finished.records[2].contains("meta"));
  EXPECT_TRUE(contains(3, "Content-Type: text/x\r\n")) << body(3);
  EXPECT_TRUE(body(4).starts_with("DELETE ")) << body(4);
}

TEST_P(Input, GivesEachRequestWhatTheFlagsSayUnlessItsTaskSaysOtherwise) {
  const TemporaryDirectory directory;
  write_file(directory.file("in"),
             origin_.url("/?echo=1") + "\n" +
                 json{{"url", origin_.url("/?echo=1")}, {"headers", {{"X-A", "task"}}}}.dump());
  Job job(GetParam(), {.tasks = {"-i", directory.file("in"), "-H", "X-A: job", "-A", "me/1", "-u",
                                 "name:secret"}});
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = parse_records(job.writer().stdout_text());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_NE(body_of(records[0]).find("X-A: job\r\n"), std::string::npos);
  EXPECT_NE(body_of(records[0]).find("User-Agent: me/1\r\n"), std::string::npos);
  EXPECT_NE(body_of(records[0]).find("Authorization: Basic bmFtZTpzZWNyZXQ=\r\n"),
            std::string::npos);
  EXPECT_NE(body_of(records[1]).find("X-A: task\r\n"), std::string::npos);
  EXPECT_EQ(body_of(records[1]).find("X-A: job"), std::string::npos);
}

}  // namespace
}  // namespace fetchline
