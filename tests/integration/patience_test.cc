// How long a role waits for the others, and what it does then.
#include <csignal>
#include <thread>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

void expect(const Ended& ended, int code, const std::string& named) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_NE(ended.err.find(named), std::string::npos) << "no \"" << named << "\" in: " << ended.err;
}

TEST(Patience, EndsWithExitCode10WhenNobodyComes) {
  const Args patience = {"--peer-timeout", "1"};
  const std::string port = endpoint(free_port()), other = endpoint(free_port());
  expect(run(collector_path(), Args{"--bind", port} + patience), 10, "producer");
  expect(run(producer_path(),
             Args{"--bind", port, "--collector", other, "http://127.0.0.1/"} + patience),
         10, other);
  expect(run(worker_path(), Args{"--producer", port, "--collector", other} + patience), 10, port);
  RunningProgram collector(collector_path(), {"--bind", other});
  expect(run(producer_path(),
             {"--bind", port, "--collector", other, "http://127.0.0.1/", "--peer-timeout", "3"}),
         10, "worker");
}

TEST(Patience, ShowsForWhomItWaits) {
  const Args progress = {"--progress", "json"};
  const std::string port = endpoint(free_port()), other = endpoint(free_port());
  const RunningProgram producer(
      producer_path(), Args{"--bind", port, "--collector", other, "http://127.0.0.1/"} + progress);
  const RunningProgram worker(worker_path(),
                              Args{"--producer", port, "--collector", other} + progress);
  const auto waits = [](const RunningProgram& program, const std::string& whom) {
    return eventually([&] { return program.says("\"waiting_for\":\"" + whom + "\""); });
  };
  EXPECT_TRUE(waits(producer, "the collector at " + other)) << producer.stderr_text();
  EXPECT_TRUE(waits(worker, "the collector at " + other)) << worker.stderr_text();
  const std::string results = endpoint(free_port());
  const RunningProgram collector(collector_path(), Args{"--bind", results} + progress);
  EXPECT_TRUE(waits(collector, "a producer at " + results)) << collector.stderr_text();
}

// The one of another job is there, but it is not for this one's results.
TEST(Patience, OfAWorkerKnowsTheCollectorOfAnotherJob) {
  const Origin origin;
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  const std::string other_tasks = endpoint(free_port()), other_results = endpoint(free_port());
  const RunningProgram collector(collector_path(), {"--bind", results});
  const RunningProgram producer(producer_path(),
                                {"--bind", tasks, "--collector", results, origin.url("/")});
  const RunningProgram other_collector(collector_path(), {"--bind", other_results});
  const RunningProgram other_producer(
      producer_path(), {"--bind", other_tasks, "--collector", other_results, origin.url("/")});
  EXPECT_TRUE(eventually([&] { return producer.says("waiting for a worker"); }));
  EXPECT_TRUE(eventually([&] { return other_producer.says("waiting for a worker"); }));
  RunningProgram worker(worker_path(),
                        {"--producer", tasks, "--collector", other_results, "--peer-timeout", "3"});
  EXPECT_TRUE(eventually([&] {
    return worker.says("waiting for the collector at " + other_results +
                       ": it serves another job than the producer at " + tasks);
  })) << worker.stderr_text();
  expect({worker.exit_code(), "", worker.stderr_text()}, 10, other_results);
}

// Longer than it would wait for others.
TEST(Patience, IsNotLostByWhoWasStoppedItself) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(300, 100, 500);
  write_file(directory.file("in"), urls_of(origin, targets));
  const Args patience = {"--peer-timeout", "3"};
  Job job(Layout::fleet, {.tasks = Args{"-i", directory.file("in")} + patience,
                          .output = patience,
                          .effort = Args{"-j", "10"} + patience,
                          .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin.requests() > 50; }));
  for (const auto* each : {&job.reader(), &job.writer(), &job.worker(0)}) each->signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(4));
  for (const auto* each : {&job.reader(), &job.writer(), &job.worker(0)}) each->signal(SIGCONT);
  EXPECT_EQ(job.exit_code(), 0) << job.stderr_text();
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
}

TEST(Patience, OutlastsAFleetWithoutWorkers) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(600, 60, 500);
  write_file(directory.file("in"), urls_of(origin, targets));
  Job job(Layout::fleet,
          {.tasks = {"-i", directory.file("in")}, .effort = {"-j", "10"}, .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin.requests() > 100; }));
  job.worker(0).signal(SIGINT);
  EXPECT_EQ(job.worker(0).exit_code(), 0);
  const std::size_t before = origin.requests();
  EXPECT_LT(before, targets.size());
  EXPECT_TRUE(eventually([&] { return job.reader().says("waiting for a worker"); }));
  job.add_worker();
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
  EXPECT_EQ(origin.requests(), targets.size());
}

}  // namespace
}  // namespace fetchline
