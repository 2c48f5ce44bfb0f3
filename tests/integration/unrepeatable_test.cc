// A request that may have had its effect is never sent again, whoever is killed: an origin counts.
#include <csignal>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

class Unrepeatable : public testing::Test {
 protected:
  static constexpr std::size_t kTasks = 400;
  // What a worker with 10 slots is given at most, and as much again: what was asked for meanwhile.
  static constexpr std::size_t kMostInDoubt = 2 * (10 + 10);

  Unrepeatable() { write_file(input_, urls_of(origin_, targets_)); }

  [[nodiscard]] Args tasks() const { return {"-i", input_, "-X", "POST"}; }
  [[nodiscard]] Args whole() const {
    return tasks() + Args{"-o", output_, "-j", "10", "--resume", "--fail-on", "never"};
  }
  [[nodiscard]] bool under_way() const {
    return eventually([this] { return origin_.requests() > 100; });
  }
  // How many records are not ok; each of those is abandoned.
  [[nodiscard]] std::size_t expect_none_twice() const {
    const Records records = read_records(output_);
    EXPECT_EQ(records.size(), kTasks);
    std::size_t abandoned = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::size_t requests = origin_.requests(targets_[i]);
      const std::string outcome = records[i].at("outcome");
      if (outcome == "ok") {
        EXPECT_EQ(requests, 1U) << targets_[i];
      } else {
        ++abandoned;
        EXPECT_LE(requests, 1U) << targets_[i];
        EXPECT_EQ(outcome, "abandoned");
        EXPECT_EQ(
            records[i].at("errormsg"),
            "an earlier run may have sent it, and no worker has it; --retry-unsafe repeats it");
      }
    }
    return abandoned;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::vector<std::string> targets_ = mixed_targets(kTasks, 100, 300);
  const std::string input_ = directory_.file("in"), output_ = directory_.file("out");
};

TEST_F(Unrepeatable, IsNotSentAgainAfterTheWholeProcessWasKilled) {
  {
    RunningProgram program(fetchline_path(), whole());
    EXPECT_TRUE(under_way()) << program.stderr_text();
    program.signal(SIGKILL);
    EXPECT_EQ(program.exit_code(), 128 + SIGKILL);
  }
  const Ended ended = run(fetchline_path(), whole());
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::size_t abandoned = expect_none_twice();
  EXPECT_GE(abandoned, 1U) << "some were under way";
  EXPECT_LE(abandoned, kMostInDoubt);
}

TEST_F(Unrepeatable, IsSentAgainWhenTheUserSaysSo) {
  {
    RunningProgram program(fetchline_path(), whole());
    EXPECT_TRUE(under_way()) << program.stderr_text();
    program.signal(SIGKILL);
    EXPECT_EQ(program.exit_code(), 128 + SIGKILL);
  }
  const Ended ended = run(fetchline_path(), whole() + Args{"--retry-unsafe"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_answers(read_records(output_), origin_, targets_);
}

// Who stops in peace knows what was not sent.
TEST_F(Unrepeatable, IsAllSentOnceWhenTheFirstRunWasInterrupted) {
  {
    RunningProgram program(fetchline_path(), whole());
    EXPECT_TRUE(under_way()) << program.stderr_text();
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(), 7) << program.stderr_text();
  }
  const Ended ended = run(fetchline_path(), whole());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(expect_none_twice(), 0U);
}

TEST_F(Unrepeatable, IsAwaitedFromAWorkerThatOutlivesItsProducer) {
  const std::string tasks_at = endpoint(free_port()), results_at = endpoint(free_port());
  RunningProgram collector(collector_path(),
                           {"--bind", results_at, "-o", output_, "--fail-on", "never"});
  RunningProgram worker(worker_path(),
                        {"--producer", tasks_at, "--collector", results_at, "-j", "10"});
  const Args producer_args =
      tasks() + Args{"--bind", tasks_at, "--collector", results_at, "--fail-on", "never"};
  {
    RunningProgram producer(producer_path(), producer_args);
    EXPECT_TRUE(under_way()) << producer.stderr_text();
    producer.signal(SIGKILL);
    EXPECT_EQ(producer.exit_code(), 128 + SIGKILL);
  }
  const Ended ended = run(producer_path(), producer_args + Args{"--resume"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(collector.exit_code(), 0) << collector.stderr_text();
  EXPECT_EQ(worker.exit_code(), 0) << worker.stderr_text();
  // Only what the collector had on record and the worker was not given: a message's worth.
  EXPECT_LE(expect_none_twice(), 10U);
  for (std::size_t i = 0; const auto& record : read_records(output_)) {
    const std::size_t requests = origin_.requests(targets_.at(i++));
    EXPECT_TRUE(record.at("outcome") == "ok" || requests == 0) << record;
  }
}

}  // namespace
}  // namespace fetchline
