#include "worker/request.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using std::chrono::milliseconds;

TEST(Request, IsAPlainGetWhenNobodyAsksForMore) {
  const JobSettings settings;
  const Task task;
  const Request request = request_for(settings, task);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.body, nullptr);
  EXPECT_TRUE(request.as_job);
}

TEST(Request, IsAPostWhenThereIsABody) {
  JobSettings settings;
  settings.body = "of the job";
  Task task;
  EXPECT_EQ(request_for(settings, task).method, "POST");
  EXPECT_EQ(*request_for(settings, task).body, "of the job");
  EXPECT_TRUE(request_for(settings, task).as_job);
  task.body = "";
  EXPECT_EQ(*request_for(settings, task).body, "");
  EXPECT_FALSE(request_for(settings, task).as_job);
}

TEST(Request, TakesTheTasksMethodBeforeTheJobs) {
  JobSettings settings;
  settings.method = "PUT";
  Task task;
  EXPECT_EQ(request_for(settings, task).method, "PUT");
  task.method = "DELETE";
  EXPECT_EQ(request_for(settings, task).method, "DELETE");
}

TEST(Request, ReplacesTheJobsHeadersByTheTasksOfTheSameName) {
  JobSettings settings;
  settings.headers = {"A: job", "B: job", "Accept:", "X-Empty;"};
  settings.user_agent = "me/1";
  settings.compressed = false;
  Task task;
  task.headers = {"b: task", "accept: x", "C: task", "C: twice"};
  const std::vector<std::string> expected = {"A: job",  "X-Empty;", "b: task",         "accept: x",
                                             "C: task", "C: twice", "User-Agent: me/1"};
  EXPECT_EQ(request_for(settings, task).headers, expected);
}

TEST(Request, NamesItselfAndWhatItDecodesUnlessAHeaderDoes) {
  JobSettings settings;
  EXPECT_EQ(headers_of(settings),
            (std::vector<std::string>{"User-Agent: fetchline/" FETCHLINE_VERSION,
                                      "Accept-Encoding: deflate, gzip, br, zstd"}));
  settings.headers = {"user-agent:"};
  EXPECT_EQ(headers_of(settings),
            (std::vector<std::string>{"user-agent:", "Accept-Encoding: deflate, gzip, br, zstd"}));
  Task task;
  task.headers = {"accept-encoding: gzip"};
  EXPECT_EQ(request_for(settings, task).headers,
            (std::vector<std::string>{"user-agent:", "accept-encoding: gzip"}));
}

TEST(Request, TakesTheTasksTimeBeforeTheJobs) {
  JobSettings settings;
  settings.max_time = milliseconds(500);
  Task task;
  EXPECT_EQ(request_for(settings, task).max_time, milliseconds(500));
  task.max_time = milliseconds(500);
  EXPECT_TRUE(request_for(settings, task).as_job);
  task.max_time = milliseconds(20);
  EXPECT_EQ(request_for(settings, task).max_time, milliseconds(20));
  EXPECT_FALSE(request_for(settings, task).as_job);
}

TEST(Flaw, IsFoundWhereALineBreakWouldBecomeARequest) {
  const auto of_header = [](std::string header) {
    Task task;
    task.headers = {std::move(header)};
    return flaw_of(task);
  };
  EXPECT_EQ(of_header("A: b"), "");
  EXPECT_EQ(of_header("A: b\tc"), "");
  EXPECT_EQ(of_header("A: \xc3\xa4"), "");
  EXPECT_EQ(of_header("A:"), "");
  EXPECT_EQ(of_header("A;"), "");
  EXPECT_NE(of_header("A: b\r\nC: d"), "");
  EXPECT_NE(of_header("A: b\n"), "");
  EXPECT_NE(of_header(std::string("A: b\0c", 6)), "");
  EXPECT_NE(of_header("A"), "");
  EXPECT_NE(of_header(""), "");
  EXPECT_NE(of_header(": b"), "");
  EXPECT_NE(of_header("A b: c"), "");
}

TEST(Flaw, IsFoundInMethodsUrlsAndSettings) {
  Task task;
  task.method = "GET / HTTP/1.1\r\nA: b\r\n";
  EXPECT_NE(flaw_of(task), "");
  task.method = "M-SEARCH";
  EXPECT_EQ(flaw_of(task), "");
  task.failover = {std::string("http://a/\0b", 11)};
  EXPECT_NE(flaw_of(task), "");

  JobSettings settings;
  EXPECT_EQ(flaw_of(settings), "");
  settings.user_agent = "me\r\nX: y";
  EXPECT_NE(flaw_of(settings), "");
}

std::vector<std::vector<std::string>> addresses_of(const Task& task) {
  std::vector<std::vector<std::string>> addresses;
  for (const Stage& stage : stages_of(task)) {
    addresses.emplace_back();
    for (const std::string* url : stage) addresses.back().push_back(*url);
  }
  return addresses;
}

TEST(Stages, AreOneForAPlainTask) {
  Task task;
  task.url = "a";
  EXPECT_EQ(addresses_of(task), (std::vector<std::vector<std::string>>{{"a"}}));
}

TEST(Stages, RunARaceAtOnceAndThenEachFailover) {
  Task task;
  task.url = "a";
  task.race = {"a", "b", "b"};
  task.failover = {"c", "a", "d"};
  EXPECT_EQ(addresses_of(task), (std::vector<std::vector<std::string>>{{"a", "b"}, {"c"}, {"d"}}));
}

}  // namespace
}  // namespace fetchline
