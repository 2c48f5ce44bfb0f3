// The second signal, at least a second after the first: stop now.
#include <csignal>
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

}  // namespace
}  // namespace fetchline
