// The second signal, at least a second after the first: stop now.
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

class SecondSignal : public OnEachLayout {};
INSTANTIATE_TEST_SUITE_P(, SecondSignal, kEitherShape, name_of);

TEST_P(SecondSignal, StopsAtOnceWhenTheOriginHangs) {
  const Origin origin;
  const TemporaryDirectory directory;
  const std::string output = directory.file("out");
  Job job(GetParam(),
          {.tasks = {origin.url("/0"), origin.url("/1"), origin.url("/2?hang=1"), origin.url("/3")},
           .output = {"-o", output}});
  EXPECT_TRUE(eventually([&] { return origin.requests() == 4; }));
  job.signal(SIGINT);
  const auto counts_at = Clock::now() + std::chrono::milliseconds(1200);
  EXPECT_TRUE(eventually([&] { return !job.reader().has_pending(SIGINT); }));
  job.signal(SIGINT);  // too early to count: a key held down sends many
  std::this_thread::sleep_until(counts_at);
  EXPECT_FALSE(job.reader().has_ended()) << "it waits 25 s for what is in hand";
  const auto begin = Clock::now();
  job.signal(SIGINT);
  EXPECT_EQ(job.exit_code(), 7);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  const Records records = read_records(output);
  EXPECT_GE(records.size(), 2U);
  for (std::size_t i = 0; i < std::min<std::size_t>(2, records.size()); ++i) {
    EXPECT_EQ(body_of(records[i]), "/" + std::to_string(i));
  }
  EXPECT_FALSE(has_manifest(output));
}

TEST(SecondSignalToACommand, KillsItAtOnce) {
  const Origin origin;
  const TemporaryDirectory directory;
  const std::string pids = directory.file("pid");
  RunningProgram program(fetchline_path(),
                         {origin.url("/a"), "--emit", "exec:echo $$ > " + pids + "; sleep 1000",
                          "-o", directory.file("out")});
  std::string pid;
  EXPECT_TRUE(eventually([&] { return std::ifstream(pids) >> pid && !pid.empty(); }));
  program.signal(SIGINT);
  const auto counts_at = Clock::now() + std::chrono::milliseconds(1200);
  EXPECT_TRUE(eventually([&] { return !program.has_pending(SIGINT); }));
  std::this_thread::sleep_until(counts_at);
  EXPECT_FALSE(program.has_ended()) << "the command may end";
  const auto begin = Clock::now();
  program.signal(SIGINT);
  EXPECT_EQ(program.exit_code(), 7);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  EXPECT_TRUE(eventually([&] { return kill(std::stoi(pid), 0) != 0; }));
}

}  // namespace
}  // namespace fetchline
