#include "producer/duration_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, UnitsAreSecondsUnlessNamed) {
  EXPECT_EQ(duration_of_text("5"), 5s);
  EXPECT_EQ(duration_of_text("5s"), 5s);
  EXPECT_EQ(duration_of_text("250ms"), 250ms);
  EXPECT_EQ(duration_of_text("2m"), 2min);
  EXPECT_EQ(duration_of_text("1h"), 1h);
  EXPECT_EQ(duration_of_text("1.5s"), 1500ms);
  EXPECT_EQ(duration_of_text("0"), 0s);
}

TEST(DurationText, OtherTextIsNoDuration) {
  for (const auto* text : {"", "s", "5 s", " 5", "5d", "5S", "-1", "-1s", "1e3", "inf", "nan",
                           "0x5", "5s5", "1000001", "1e999"}) {
    EXPECT_EQ(duration_of_text(text), std::nullopt) << text;
  }
}

TEST(DurationText, ALittleMoreThanNothingIsNotNothing) {
  EXPECT_EQ(duration_of_seconds(0.0001), 1ms);
  EXPECT_EQ(duration_of_seconds(0), 0ms);
}

TEST(DurationText, NumbersOutOfRangeAreRefused) {
  using Limits = std::numeric_limits<double>;
  EXPECT_EQ(duration_of_seconds(1e6), kLongestDuration);
  for (const double seconds : {-1.0, 1e6 + 1, 1e300, Limits::infinity(), Limits::quiet_NaN()}) {
    EXPECT_EQ(duration_of_seconds(seconds), std::nullopt) << seconds;
  }
}

}  // namespace
}  // namespace fetchline
