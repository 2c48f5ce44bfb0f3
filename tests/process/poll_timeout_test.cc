#include "deploy/process/poll_timeout.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const std::chrono::steady_clock::time_point kNow{std::chrono::hours(1)};

TEST(PollTimeout, IsForEverOnlyWhenNothingIsDue) {
  EXPECT_EQ(poll_timeout({}, kNow), -1);
  EXPECT_EQ(poll_timeout(kNow, kNow), 0);
  for (const int late : {1, 999, 1'000, 5'000, 100'000'000}) {
    EXPECT_EQ(poll_timeout(kNow - microseconds(late), kNow), 0);
  }
}

TEST(PollTimeout, EndsWhenItIsDueAndNotBefore) {
  EXPECT_EQ(poll_timeout(kNow + milliseconds(100), kNow), 100);
  EXPECT_EQ(poll_timeout(kNow + microseconds(99'001), kNow), 100);
  EXPECT_EQ(poll_timeout(kNow + microseconds(1), kNow), 1);
}

}  // namespace
}  // namespace fetchline
