#include "deploy/process/verdict.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

ExitCode decided(const char* rule, std::uint64_t ok, std::uint64_t failed) {
  return decide(parse_fail_on(rule).value(), ok, failed, ok + failed);
}

TEST(Verdict, AnyFailsTheJobAtTheFirstFailedTask) {
  EXPECT_EQ(decided("any", 10, 0), ExitCode::ok);
  EXPECT_EQ(decided("any", 9, 1), ExitCode::some_failed);
}

TEST(Verdict, NoneSucceededHasItsOwnCode) {
  EXPECT_EQ(decided("any", 0, 3), ExitCode::none_succeeded);
  EXPECT_EQ(decided("2", 0, 3), ExitCode::none_succeeded);
  EXPECT_EQ(decided("100%", 0, 3), ExitCode::none_succeeded);
}

TEST(Verdict, ARuleThatIsNotBrokenForgivesEvenAJobWithoutSuccess) {
  EXPECT_EQ(decided("never", 0, 3), ExitCode::ok);
  EXPECT_EQ(decided("4", 0, 3), ExitCode::ok);
}

TEST(Verdict, ACountFailsFromThatManyOn) {
  EXPECT_EQ(decided("3", 8, 2), ExitCode::ok);
  EXPECT_EQ(decided("3", 7, 3), ExitCode::some_failed);
}

TEST(Verdict, APercentageFailsFromThatShareOn) {
  EXPECT_EQ(decided("5%", 96, 4), ExitCode::ok);
  EXPECT_EQ(decided("5%", 95, 5), ExitCode::some_failed);
  EXPECT_EQ(decided("0.5%", 199, 1), ExitCode::some_failed);
}

TEST(Verdict, AnEmptyJobIsOkUnderEveryRule) {
  for (const char* rule : {"any", "never", "1", "1%"}) EXPECT_EQ(decided(rule, 0, 0), ExitCode::ok);
}

TEST(Verdict, RulesThatMeanNothingAreRefused) {
  for (const char* rule : {"", "0", "0%", "101%", "-1", "some", "%", "5 %", "1.5"}) {
    EXPECT_FALSE(parse_fail_on(rule)) << rule;
  }
}

}  // namespace
}  // namespace fetchline
