#include "deploy/process/quantities.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(Sizes, ArePowersOf1024InEverySpelling) {
  for (const char* text : {"256M", "256m", "256MB", "256MiB", "262144K", "0.25G", "268435456"}) {
    EXPECT_EQ(parse_size_bytes(text), 268'435'456U) << text;
  }
  EXPECT_EQ(parse_size_bytes("0"), 0U);
  EXPECT_EQ(parse_size_bytes("7B"), 7U);
  EXPECT_EQ(parse_size_bytes("1T"), 1ULL << 40U);
}

TEST(Sizes, ThatFitInNoNumberOrAreNoneAreRefused) {
  for (const char* text : {"", "M", "-1", "+1", "1 M", "1X", "1Mb/s", "abc", "1e9", "inf", "nan",
                           "0x10", "1..2", "99999999999G", "18446744073709551616"}) {
    EXPECT_FALSE(parse_size_bytes(text)) << text;
  }
  EXPECT_EQ(parse_size_bytes("18446744073709551615"), ~std::uint64_t{0});
}

TEST(Durations, AreSecondsUnlessAUnitSaysOtherwise) {
  EXPECT_EQ(parse_duration("10"), 10s);
  EXPECT_EQ(parse_duration("1.5"), 1500ms);
  EXPECT_EQ(parse_duration("1.1"), 1100ms);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("3M"), 3min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0"), 0ms);
}

TEST(Durations, NeverBecomeZeroByRounding) { EXPECT_EQ(parse_duration("0.0001"), 1ms); }

TEST(Durations, ThatAreNoneOrEndlessAreRefused) {
  for (const char* text : {"", "s", "-1", "1 s", "1d", "soon", "inf", "99999999999h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Numbers, HaveNeitherSignNorUnit) {
  EXPECT_EQ(parse_number("2.5"), 2.5);
  EXPECT_FALSE(parse_number("2.5s"));
  EXPECT_FALSE(parse_number("-2"));
  EXPECT_EQ(parse_count("12"), 12U);
  EXPECT_FALSE(parse_count("12.0"));
  EXPECT_FALSE(parse_count(""));
}

TEST(Formatting, SaysDurationsWithTheTwoUnitsThatMatter) {
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(8'340ms), "8.3s");
  EXPECT_EQ(format_duration(9'960ms), "10s");
  EXPECT_EQ(format_duration(59'600ms), "1m00s");
  EXPECT_EQ(format_duration(123s), "2m03s");
  EXPECT_EQ(format_duration(3'725s), "1h02m");
}

TEST(Formatting, GroupsThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
}

TEST(Formatting, OfDefaultsParsesBackToTheSame) {
  for (const std::uint64_t bytes : {0ULL, 1000ULL, 1024ULL, 268'435'456ULL, 10'737'418'240ULL}) {
    EXPECT_EQ(parse_size_bytes(size_as_flag(bytes)), bytes);
  }
  for (const auto time : {0ms, 250ms, 1'500ms, 60'000ms, 600'000ms}) {
    EXPECT_EQ(parse_duration(duration_as_flag(time)), time);
  }
  EXPECT_EQ(size_as_flag(268'435'456), "256M");
  EXPECT_EQ(duration_as_flag(10s), "10");
}

}  // namespace
}  // namespace fetchline
