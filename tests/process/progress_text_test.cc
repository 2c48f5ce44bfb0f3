#include "deploy/process/progress_text.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

ProgressMoment halfway() {
  ProgressMoment moment;
  moment.sample = {.done = 4'512, .ok = 4'510, .failed = 2, .total = 10'000, .in_flight = 50};
  moment.per_second = 1'203;
  moment.elapsed = 4s;
  return moment;
}

TEST(ProgressBar, ShowsCountShareRateFailuresAndTimeLeft) {
  EXPECT_EQ(progress_bar(halfway(), 80),
            "  4,512 / 10,000  45%  [===========>              ]  1,203/s  2 failed  ETA 4.6s");
}

TEST(ProgressBar, NeverIsWiderThanTheTerminal) {
  for (std::size_t width = 0; width < 200; ++width) {
    EXPECT_LE(progress_bar(halfway(), width).size(), width);
  }
  EXPECT_EQ(progress_bar(halfway(), 60), "  4,512 / 10,000  45%  1,203/s  2 failed  ETA 4.6s");
}

TEST(ProgressBar, WithoutATotalCountsOnly) {
  ProgressMoment moment = halfway();
  moment.sample.total.reset();
  EXPECT_EQ(progress_bar(moment, 80), "  4,512 done  1,203/s  2 failed  50 in flight");
}

TEST(ProgressBar, SaysForWhomItWaits) {
  ProgressMoment moment;
  moment.sample.waiting_for = "a worker";
  EXPECT_EQ(progress_bar(moment, 80), "  0 done  0.0/s  waiting for a worker");
}

TEST(ProgressBar, EndsWithTheTimeItTook) {
  ProgressMoment moment = halfway();
  moment.sample.done = 10'000;
  moment.elapsed = 8'300ms;
  moment.final = true;
  EXPECT_EQ(progress_bar(moment, 80),
            "  10,000 / 10,000  100%  [=========================]  1,203/s  2 failed  in 8.3s");
}

TEST(ProgressLine, IsASentenceForTheLog) {
  EXPECT_EQ(progress_line(halfway()), "4,512 of 10,000 done (45%), 2 failed, 1,203/s, ETA 4.6s");
}

TEST(ProgressLine, HasNoTimeLeftWhenNothingMoves) {
  ProgressMoment moment = halfway();
  moment.per_second = 0;
  EXPECT_EQ(progress_line(moment), "4,512 of 10,000 done (45%), 2 failed, 0.0/s");
}

TEST(ProgressJson, IsOneObjectWithNullForTheUnknown) {
  ProgressMoment moment = halfway();
  moment.sample.total.reset();
  moment.sample.waiting_for = "a \"worker\"";
  EXPECT_EQ(progress_json(moment, {}),
            "{\"type\":\"progress\",\"ts\":\"1970-01-01T00:00:00.000Z\",\"done\":4512,\"ok\":4510,"
            "\"failed\":2,\"total\":null,\"in_flight\":50,\"bytes_out\":0,\"per_second\":1203.0,"
            "\"elapsed_seconds\":4.0,\"eta_seconds\":null,\"waiting_for\":\"a \\\"worker\\\"\","
            "\"final\":false}\n");
}

TEST(RateMeter, FollowsTheLastSeconds) {
  const RateMeter::Clock::time_point start{};
  RateMeter rate;
  EXPECT_EQ(rate.add(start, 0), 0);
  EXPECT_EQ(rate.add(start + 1s, 100), 100);
  for (int second = 2; second <= 30; ++second) {
    rate.add(start + std::chrono::seconds(second), 100);
  }
  EXPECT_EQ(rate.add(start + 31s, 100), 0);
}

}  // namespace
}  // namespace fetchline
