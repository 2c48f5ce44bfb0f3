// The first signal: finish what is in hand and end.
#include <csignal>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

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
  EXPECT_EQ(job.exit_code(), 7);
  const Records records = read_records(output_);
  expect_prefix(records);
  // What was in hand was finished: all that was asked for came out.
  EXPECT_EQ(records.size(), origin_.requests());
  EXPECT_FALSE(has_manifest(output_));
}

TEST_P(Signals, LeaveWholeRecordsOfAPrefixOnStdout) {
  Job job(GetParam(), {.tasks = long_job(), .effort = {"-j", "10"}});
  EXPECT_TRUE(eventually([&] { return origin_.requests() > 200; }));
  job.signal(SIGTERM);
  EXPECT_EQ(job.exit_code(), 7);
  expect_prefix(parse_records(job.writer().stdout_text()));
}

TEST_P(Signals, EndAJobWhoseInputIsStillOpen) {
  Job job(GetParam(), {.tasks = {"-i", "-"}, .stdin_is_pipe = true});
  ASSERT_TRUE(job.reader().write(origin_.url("/0") + "\n"));
  const auto line = job.writer().read_line();
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(parse_records(*line + "\n").size(), 1U);
  job.signal(SIGINT);
  EXPECT_EQ(job.exit_code(), 7);
}

TEST_P(Signals, EndAJobWhoseOriginHangsWhenTheDrainTimeoutIsOver) {
  Job job(GetParam(),
          {.tasks = {origin_.url("/0"), origin_.url("/1?hang=1"), origin_.url("/2"),
                     "--drain-timeout", "1"},
           .output = {"-o", output_},
           .effort = GetParam() == Layout::one_process ? Args{} : Args{"--drain-timeout", "1"},
           .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin_.requests() == 3; }));
  const auto begin = Clock::now();
  job.signal(SIGINT);
  EXPECT_EQ(job.exit_code(), 7);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(15));
  const Records records = read_records(output_);
  ASSERT_GE(records.size(), 1U);
  EXPECT_EQ(body_of(records[0]), "/0");
}

TEST_P(Signals, EndAJobBeforeItsPeersAreThere) {
  if (GetParam() == Layout::one_process) GTEST_SKIP() << "its roles are always there";
  for (const auto& [path, code] :
       {std::pair{producer_path(), 7}, {collector_path(), 7}, {worker_path(), 0}}) {
    Args args = {"--bind", endpoint(free_port())};
    if (path == producer_path())
      args = args + Args{"--collector", endpoint(free_port()), origin_.url("/")};
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
