// Workers that come, go, stay and serve two.
#include <csignal>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

// A producer and a collector, for workers to link to.
struct Pair {
  Pair(const std::string& input, const std::string& output_path, std::uint16_t tasks,
       std::uint16_t results)
      : output(output_path),
        collector(collector_path(), {"--bind", endpoint(results), "-o", output_path}),
        producer(producer_path(),
                 {"--bind", endpoint(tasks), "--collector", endpoint(results), "-i", input}) {}

  void expect_answers(const Origin& origin, const std::vector<std::string>& targets) {
    EXPECT_EQ(collector.exit_code(), 0) << collector.stderr_text();
    EXPECT_EQ(producer.exit_code(), 0) << producer.stderr_text();
    fetchline::expect_answers(read_records(output), origin, targets);
  }

  const std::string output;
  RunningProgram collector, producer;
};

class Fleet : public testing::Test {
 protected:
  std::string input_of(const std::vector<std::string>& targets, const std::string& name) {
    write_file(directory_.file(name), urls_of(origin_, targets));
    return directory_.file(name);
  }

  void expect_each_fetched_once(const std::vector<std::string>& targets) {
    for (const std::string& target : targets) EXPECT_EQ(origin_.requests(target), 1U) << target;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
};

TEST_F(Fleet, TakesInWorkersThatComeLate) {
  const auto targets = mixed_targets(1000, 60, 500);
  Job job(Layout::fleet,
          {.tasks = {"-i", input_of(targets, "in")}, .effort = {"-j", "10"}, .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin_.requests() > 50; }));
  job.add_worker();
  job.add_worker();
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = parse_records(job.writer().stdout_text());
  expect_answers(records, origin_, targets);
  expect_each_fetched_once(targets);
  EXPECT_GT(origin_.max_simultaneous(), 10U);
  Outcomes by_worker;
  for (const auto& record : records) ++by_worker[record.at("worker")];
  EXPECT_EQ(by_worker.size(), 3U);
}

TEST_F(Fleet, EndsWithAllItsWorkersHoweverShortTheJob) {
  for (int i = 0; i < 3; ++i) {
    Job job(Layout::fleet, {.tasks = {origin_.url("/")}, .workers = 5});
    EXPECT_EQ(job.exit_code(), 0);
    expect_answers(parse_records(job.writer().stdout_text()), origin_, {"/"});
    if (HasFailure()) return;
  }
}

TEST_F(Fleet, LosesNothingAndRepeatsNothingWhenAWorkerIsToldToLeave) {
  const auto targets = mixed_targets(800, 60, 500);
  Job job(Layout::fleet, {.tasks = {"-i", input_of(targets, "in")}, .effort = {"-j", "10"}});
  EXPECT_TRUE(eventually([&] { return origin_.requests() > 100; }));
  job.worker(0).signal(SIGTERM);
  EXPECT_EQ(job.worker(0).exit_code(), 0) << job.worker(0).stderr_text();
  EXPECT_LT(origin_.requests(), targets.size()) << "it left when all was done";
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(job.writer().stdout_text()), origin_, targets);
  expect_each_fetched_once(targets);
}

TEST_F(Fleet, ServesOneJobAfterAnotherWithAWorkerThatStays) {
  const std::uint16_t tasks = free_port(), results = free_port();
  RunningProgram worker(worker_path(), {"--producer", endpoint(tasks), "--collector",
                                        endpoint(results), "--keep-alive"});
  for (const std::string name : {"one", "two", "three"}) {
    const auto targets = mixed_targets(300, 20, 500, name);
    Pair pair(input_of(targets, name), directory_.file(name + ".out"), tasks, results);
    pair.expect_answers(origin_, targets);
  }
  EXPECT_FALSE(worker.has_ended());
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.exit_code(), 0) << worker.stderr_text();
}

TEST_F(Fleet, ServesTwoJobsAtOnceWithOneWorkerWithoutMixingThem) {
  const std::uint16_t ports[] = {free_port(), free_port(), free_port(), free_port()};
  const auto left = mixed_targets(700, 40, 500, "left");
  const auto right = mixed_targets(700, 40, 500, "right");
  RunningProgram worker(worker_path(),
                        {"--producer", endpoint(ports[0]), "--collector", endpoint(ports[1]),
                         "--producer", endpoint(ports[2]), "--collector", endpoint(ports[3])});
  Pair first(input_of(left, "left"), directory_.file("left.out"), ports[0], ports[1]);
  Pair second(input_of(right, "right"), directory_.file("right.out"), ports[2], ports[3]);
  first.expect_answers(origin_, left);
  second.expect_answers(origin_, right);
  EXPECT_EQ(worker.exit_code(), 0) << worker.stderr_text();
}

TEST_F(Fleet, SaysForWhomEachOneWaits) {
  const std::uint16_t tasks = free_port(), results = free_port();
  RunningProgram producer(producer_path(), {"--bind", endpoint(tasks), "--collector",
                                            endpoint(results), origin_.url("/")});
  EXPECT_TRUE(eventually([&] { return producer.listens_to(SIGTERM); }));
  RunningProgram worker(worker_path(),
                        {"--producer", endpoint(tasks), "--collector", endpoint(results)});
  RunningProgram collector(collector_path(), {"--bind", endpoint(free_port())});
  EXPECT_TRUE(eventually(
      [&] { return producer.says("waiting for the collector at " + endpoint(results)); }));
  EXPECT_TRUE(eventually([&] { return collector.says("waiting for a producer"); }));
  EXPECT_TRUE(
      eventually([&] { return worker.says("waiting for the collector at " + endpoint(results)); }));
  // On a slow machine it may have waited for it, too.
  EXPECT_TRUE(!worker.says("waiting for the producer at") ||
              worker.says("the producer at " + endpoint(tasks) + " is there"))
      << worker.stderr_text();
  RunningProgram alone(worker_path(),
                       {"--producer", endpoint(free_port()), "--collector", endpoint(free_port())});
  EXPECT_TRUE(eventually([&] { return alone.says("waiting for the producer at tcp://"); }));
}

}  // namespace
}  // namespace fetchline
