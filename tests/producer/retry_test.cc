#include "producer/retry.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Asked = std::optional<milliseconds>;

// Shortest and longest of many waits.
struct Spread {
  milliseconds shortest = milliseconds::max(), longest{0};
};

Spread waits(const RetryPolicy& policy, std::uint32_t failed, Asked asked = {}) {
  std::mt19937_64 random(failed);
  Spread spread;
  for (int i = 0; i < 2000; ++i) {
    const milliseconds wait = retry_wait(policy, failed, asked, random);
    spread.shortest = std::min(spread.shortest, wait);
    spread.longest = std::max(spread.longest, wait);
  }
  return spread;
}

// All waits lie between the two, and some near each.
void expect_between(const Spread& spread, milliseconds low, milliseconds high) {
  const milliseconds margin = (high - low) / 20;
  EXPECT_GE(spread.shortest, low);
  EXPECT_LE(spread.shortest, low + margin);
  EXPECT_GE(spread.longest, high - margin);
  EXPECT_LE(spread.longest, high);
}

const RetryPolicy kPolicy{.retries = 10, .delay = 1s, .max_delay = 600s};

TEST(RetryWait, IsTheDelaySpreadByAQuarterEitherWay) {
  expect_between(waits(kPolicy, 1), 750ms, 1250ms);
}

TEST(RetryWait, DoublesWithEachAttempt) {
  expect_between(waits(kPolicy, 2), 1500ms, 2500ms);
  expect_between(waits(kPolicy, 3), 3s, 5s);
  expect_between(waits(kPolicy, 7), 48s, 80s);
}

TEST(RetryWait, IsNeverLongerThanTheLongest) {
  for (const std::uint32_t failed : {11U, 64U, 1000U}) {
    expect_between(waits(kPolicy, failed), 450s, 600s);
  }
  EXPECT_EQ(waits(kPolicy, 11).longest, 600s);
}

TEST(RetryWait, IsNotShorterThanTheOriginAsksFor) {
  expect_between(waits(kPolicy, 1, 100s), 100s, 110s);
}

TEST(RetryWait, IsNotShortenedByTheOrigin) {
  expect_between(waits(kPolicy, 3, 100ms), 3s, 5s);
  expect_between(waits(kPolicy, 1, 0ms), 750ms, 1250ms);
}

TEST(RetryWait, IsNeverLongerThanTheLongestWhateverTheOriginAsksFor) {
  const Spread spread = waits(kPolicy, 1, std::chrono::hours(8000));
  EXPECT_EQ(spread.shortest, 600s);
  EXPECT_EQ(spread.longest, 600s);
}

TEST(RetryWait, IsNothingWhenThereIsNoDelay) {
  const RetryPolicy at_once{.retries = 3, .delay = 0ms, .max_delay = 600s};
  EXPECT_EQ(waits(at_once, 1).longest, 0ms);
  EXPECT_EQ(waits(at_once, 3).longest, 0ms);
  expect_between(waits(at_once, 1, 100s), 100s, 110s);
}

TEST(RetryWait, ObeysALongestWaitBelowTheDelay) {
  const RetryPolicy short_tempered{.retries = 3, .delay = 10s, .max_delay = 1s};
  expect_between(waits(short_tempered, 1), 750ms, 1s);
}

}  // namespace
}  // namespace fetchline
