// How tasks and records flow: what overlaps, what waits, what is held back.
#include <algorithm>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/integration/slowness.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

class Flow : public OnEachLayout {
 protected:
  const Origin origin_;
};
INSTANTIATE_TEST_SUITE_P(, Flow, kEitherShape, name_of);

Args numbered(const Origin& origin, std::size_t count, const std::string& query) {
  Args urls;
  for (std::size_t i = 0; i < count; ++i) {
    urls.push_back(origin.url("/" + std::to_string(i) + "?" + query));
  }
  return urls;
}

TEST_P(Flow, FetchesFifteenSlowUrlsAtTheSameTime) {
  Job job(GetParam(), {.tasks = numbered(origin_, 15, "delay=1500")});
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(parse_records(job.writer().stdout_text()).size(), 15U);
  EXPECT_EQ(origin_.max_simultaneous(), 15U);
}

TEST_P(Flow, HasNoMoreTransfersAtOnceThanItMay) {
  Job job(GetParam(), {.tasks = numbered(origin_, 100, "delay=60"), .effort = {"-j", "7"}});
  EXPECT_EQ(job.exit_code(), 0);
  const std::size_t allowed = GetParam() == Layout::one_process ? 7 : 14;
  EXPECT_EQ(origin_.max_simultaneous(), allowed);
}

TEST_P(Flow, GivesARecordBeforeTheNextLineIsWritten) {
  Job job(GetParam(), {.tasks = {"-i", "-"}, .stdin_is_pipe = true});
  std::string text;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(job.reader().write(origin_.url("/" + std::to_string(i)) + "\n"));
    const auto line = job.writer().read_line();
    ASSERT_TRUE(line.has_value()) << job.stderr_text();
    text += *line + "\n";
  }
  job.reader().close_stdin();
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = parse_records(text);
  EXPECT_EQ(records.size(), 60U);
  EXPECT_EQ(origin_.requests(), 60U);
}

TEST_P(Flow, TakesALineInPiecesAndALastOneWithoutNewline) {
  Job job(GetParam(), {.tasks = {"-i", "-"}, .stdin_is_pipe = true});
  const std::string url = origin_.url("/first");
  ASSERT_TRUE(job.reader().write(url.substr(0, 10)));
  EXPECT_TRUE(eventually([&] { return job.reader().has_read_input(); }));
  EXPECT_FALSE(job.writer().has_output());
  ASSERT_TRUE(job.reader().write(url.substr(10) + "\n" + origin_.url("/second")));
  ASSERT_TRUE(job.writer().read_line().has_value());
  EXPECT_EQ(origin_.requests("/second"), 0U);
  job.reader().close_stdin();
  ASSERT_TRUE(job.writer().read_line().has_value());
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(origin_.requests("/second"), 1U);
}

TEST_P(Flow, FetchesWhatIsBehindASlowHead) {
  const Origin quick;
  const Args head = {origin_.url("/head?delay=" + std::to_string(2000 * slowness()))};
  Job job(GetParam(), {.tasks = head + numbered(quick, 500, "size=100")});
  EXPECT_TRUE(eventually([&] { return quick.requests() == 500; }));
  EXPECT_FALSE(job.writer().has_output()) << "the head has not answered yet";
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = parse_records(job.writer().stdout_text());
  ASSERT_EQ(records.size(), 501U);
  for (std::size_t i = 1; i < records.size(); ++i) {
    EXPECT_EQ(records[i].at("url"), quick.url("/" + std::to_string(i - 1) + "?size=100"));
  }
}

TEST_P(Flow, HandsOutNoMoreThanTheWindowBehindASlowHead) {
  const Args head = {origin_.url("/head?delay=" + std::to_string(2000 * slowness()))};
  Job job(GetParam(),
          {.tasks = head + numbered(origin_, 100, "size=100"), .verdict = {"--window", "10"}});
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = parse_records(job.writer().stdout_text());
  ASSERT_EQ(records.size(), 101U);
  const auto fetched_at = [&](std::size_t i) -> std::string { return records[i].at("fetched_at"); };
  for (std::size_t i = 1; i < 10; ++i) EXPECT_LT(fetched_at(i), fetched_at(0)) << i;
  for (std::size_t i = 10; i < 101; ++i) EXPECT_GE(fetched_at(i), fetched_at(0)) << i;
}

TEST_P(Flow, ReadsNoFurtherWhenNobodyReadsItsOutput) {
  Job job(GetParam(),
          {.tasks = {"-i", "-"}, .verdict = {"--window", "100"}, .stdin_is_pipe = true});
  constexpr std::size_t kOffered = 100'000;
  const milliseconds stuck{1000 * slowness()};
  std::vector<std::string> targets;
  std::string text;
  while (targets.size() < kOffered && job.reader().takes_input(stuck)) {
    if (text.empty()) {
      targets.push_back("/" + std::to_string(targets.size()) + "?size=1000");
      text = origin_.url(targets.back()) + "\n";
    }
    text.erase(0, job.reader().write_some(text));
  }
  // What it reads ahead, and the pipe.
  EXPECT_LT(targets.size(), 30'000U);
  // A window, and what is in the pipe to us and before it.
  EXPECT_LT(origin_.requests(), 1'000U);
  ASSERT_FALSE(job.reader().has_ended());
  const std::string first = job.writer().read_line().value_or("") + "\n";
  EXPECT_TRUE(eventually([&] {
    static_cast<void>(job.writer().has_output());
    text.erase(0, job.reader().write_some(text));
    return text.empty();
  }));
  job.reader().close_stdin();
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(first + job.writer().stdout_text()), origin_, targets);
}

TEST_P(Flow, StaysWithinItsMemoryBehindASlowHead) {
  const TemporaryDirectory directory;
  constexpr std::size_t kBodyBytes = 64 * 1024;
  std::vector<std::string> targets = {"/head?delay=1500"};
  for (int i = 0; i < 1500; ++i) {
    targets.push_back("/" + std::to_string(i) + "?size=" + std::to_string(kBodyBytes));
  }
  write_file(directory.file("in"), urls_of(origin_, targets));
  const std::string output = directory.file("out");
  Job job(GetParam(),
          {.tasks = {"-i", directory.file("in")}, .output = {"-o", output, "--memory", "2M"}});
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(read_records(output), origin_, targets);
  // The bodies are 98 MB. A worker holds 64 MB of results at most, in one process they count too.
  const std::uint64_t megabytes = GetParam() == Layout::one_process ? 110 : 50;
  if (slowness() > 1) return;
  EXPECT_LT(job.writer().peak_memory_bytes(), megabytes << 20);
}

}  // namespace
}  // namespace fetchline
