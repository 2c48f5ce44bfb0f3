// A worker that dies without a word: others fetch what it held once its lease is over.
#include <csignal>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

TEST(Takeover, FinishesTheJobWithoutAWorkerThatWasKilled) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(2000, 60, 500);
  write_file(directory.file("in"), urls_of(origin, targets));
  Job job(Layout::fleet, {.tasks = {"-i", directory.file("in")}, .effort = {"-j", "10"}});
  EXPECT_TRUE(eventually([&] { return origin.requests() > 300; }));
  job.worker(0).signal(SIGKILL);
  EXPECT_EQ(job.worker(0).exit_code(), 128 + SIGKILL);
  EXPECT_EQ(job.writer().exit_code(), 0) << job.stderr_text();
  EXPECT_EQ(job.reader().exit_code(), 0) << job.stderr_text();
  EXPECT_EQ(job.worker(1).exit_code(), 0) << job.stderr_text();
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
  EXPECT_TRUE(job.reader().says("is silent")) << job.stderr_text();
}

TEST(Takeover, FinishesTheJobWhenTheOnlyWorkerIsReplacedByAnother) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(1000, 60, 500);
  write_file(directory.file("in"), urls_of(origin, targets));
  Job job(Layout::fleet,
          {.tasks = {"-i", directory.file("in")}, .effort = {"-j", "10"}, .workers = 1});
  EXPECT_TRUE(eventually([&] { return origin.requests() > 100; }));
  job.worker(0).signal(SIGKILL);
  EXPECT_EQ(job.worker(0).exit_code(), 128 + SIGKILL);
  job.add_worker();
  EXPECT_EQ(job.writer().exit_code(), 0) << job.stderr_text();
  EXPECT_EQ(job.reader().exit_code(), 0) << job.stderr_text();
  EXPECT_EQ(job.worker(1).exit_code(), 0) << job.stderr_text();
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
}

}  // namespace
}  // namespace fetchline
