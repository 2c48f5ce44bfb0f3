// The first signal: finish what is in hand and end.
#include <csignal>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/integration/slowness.h"

namespace fetchline {
namespace {

class Signals : public OnEachLayout {
 protected:
  // A job of minutes.
  Args long_job() {
    const auto targets = mixed_targets(20'000, 100, 500);
    write_file(directory_.file("in"), urls_of(origin_, targets));
    return {"-i", directory_.file("in")};
  }

  // It is not the whole drain timeout when what is in hand takes a tenth of a second.
  static int exit_code_soon(Job& job) {
    const auto begin = Clock::now();
    const int code = job.exit_code();
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(15)) << job.stderr_text();
    return code;
  }

  void expect_prefix(const Records& records) {
    EXPECT_GE(records.size(), 1U);
    EXPECT_LT(records.size(), 20'000U);
    auto targets = mixed_targets(records.size(), 100, 500);
    expect_answers(records, origin_, targets);
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string output_ = directory_.file("out");
};
INSTANTIATE_TEST_SUITE_P(, Signals, kEitherShape, name_of);

TEST_P(Signals, LeaveWholeRecordsOfAPrefixInTheFile) {
  Job job(GetParam(), {.tasks = long_job(), .output = {"-o", output_}, .effort = {"-j", "10"}});
  EXPECT_TRUE(eventually([&] { return origin_.requests() > 200; }));
  job.signal(GetParam() == Layout::one_process ? SIGINT : SIGTERM);
  EXPECT_EQ(exit_code_soon(job), 7);
  const Records records = read_records(output_);
  expect_prefix(records);
  EXPECT_FALSE(has_manifest(output_));
  const std::string hint = "stopped before the end of the job; --resume goes on with it";
  EXPECT_TRUE(job.writer().says(hint)) << job.writer().stderr_text();
}

TEST_P(Signals, LeaveWholeRecordsOfAPrefixOnStdout) {
  Job job(GetParam(), {.tasks = long_job(), .effort = {"-j", "10"}});
  EXPECT_TRUE(eventually([&] { return origin_.requests() > 200; }));
  job.signal(SIGTERM);
  EXPECT_EQ(exit_code_soon(job), 7);
  expect_prefix(parse_records(job.writer().stdout_text()));
  EXPECT_FALSE(job.writer().says("--resume goes on with it")) << "nothing is kept";
}

TEST_P(Signals, LetWhatIsInHandBeFinishedAndNothingBeBegun) {
  Args urls;
  for (int i = 0; i < 50; ++i) urls.push_back(origin_.url("/" + std::to_string(i) + "?delay=1000"));
  Job job(GetParam(),
          {.tasks = urls, .output = {"-o", output_}, .effort = {"-j", "5"}, .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin_.requests() == 5; }));
  job.signal(SIGTERM);
  EXPECT_EQ(exit_code_soon(job), 7);
  EXPECT_EQ(origin_.requests(), 5U);
  EXPECT_EQ(outcomes_of(read_records(output_)), (Outcomes{{"ok", 5}}));
}

TEST_P(Signals, EndAJobWhoseInputIsStillOpen) {
  Job job(GetParam(), {.tasks = {"-i", "-"}, .stdin_is_pipe = true});
  ASSERT_TRUE(job.reader().write(origin_.url("/0") + "\n"));
  const auto line = job.writer().read_line();
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(parse_records(*line + "\n").size(), 1U);
  job.signal(SIGINT);
  EXPECT_EQ(exit_code_soon(job), 7);
}

TEST_P(Signals, EndAJobWhoseOriginHangsWhenTheDrainTimeoutIsOver) {
  const Args brief = {"--drain-timeout", "2"};
  const Args for_each = GetParam() == Layout::one_process ? Args{} : brief;
  Job job(GetParam(),
          {.tasks = brief + Args{origin_.url("/0"), origin_.url("/1?hang=1"), origin_.url("/2")},
           .output = for_each + Args{"-o", output_},
           .effort = for_each,
           .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin_.requests() == 3; }));
  job.signal(SIGINT);
  EXPECT_EQ(exit_code_soon(job), 7);
  const Records records = read_records(output_);
  ASSERT_GE(records.size(), 1U);
  EXPECT_EQ(body_of(records[0]), "/0");
}

TEST(SignalsToOneProcess, LeaveItNoMoreThanTheDrainTimeoutForAllThatItDoes) {
  const Origin origin;
  const TemporaryDirectory directory;
  RunningProgram program(fetchline_path(), {"--drain-timeout", "3", origin.url("/0?hang=1"),
                                            origin.url("/1"), "-o", directory.file("out")});
  EXPECT_TRUE(eventually([&] { return origin.requests() == 2; }));
  const auto begin = Clock::now();
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), 7) << program.stderr_text();
  EXPECT_LE(Clock::now() - begin, std::chrono::milliseconds(3'200) * slowness());
}

TEST(SignalsToAFleet, EndAJobBeforeItsPeersAreThere) {
  for (const auto& [path, code] :
       {std::pair{producer_path(), 7}, {collector_path(), 7}, {worker_path(), 0}}) {
    Args args = {"--bind", endpoint(free_port())};
    if (path == producer_path())
      args = args + Args{"--collector", endpoint(free_port()), "http://127.0.0.1/"};
    if (path == worker_path())
      args = {"--producer", endpoint(free_port()), "--collector", endpoint(free_port())};
    RunningProgram program(path, args);
    EXPECT_TRUE(eventually([&] { return program.says("waiting for"); }));
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(), code) << path << program.stderr_text();
  }
}

}  // namespace
}  // namespace fetchline
