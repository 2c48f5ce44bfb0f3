#include "proto/complaints.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using std::chrono::seconds;

class ComplaintsTest : public testing::Test {
 protected:
  std::vector<std::string> said() {
    std::vector<std::string> lines;
    while (auto line = complaints_.next(now_)) lines.push_back(*line);
    return lines;
  }

  using Lines = std::vector<std::string>;
  Complaints complaints_;
  Instant now_ = Instant{} + seconds(1000);
};

TEST_F(ComplaintsTest, AreSaidAtOnceAndOnceAMinute) {
  EXPECT_EQ(said(), Lines{});
  complaints_.note("a");
  complaints_.note("a");
  complaints_.note("b");
  EXPECT_EQ(said(), (Lines{"a", "b"}));
  complaints_.note("a");
  now_ += seconds(59);
  EXPECT_EQ(said(), Lines{});
  now_ += seconds(1);
  EXPECT_EQ(said(), Lines{});
  complaints_.note("a");
  EXPECT_EQ(said(), Lines{"a"});
}

TEST_F(ComplaintsTest, BeyondAFewAreCounted) {
  (void)said();
  for (int i = 0; i < 1000; ++i) complaints_.note(std::to_string(i));
  EXPECT_EQ(said(), (Lines{"0", "1", "2", "3", "4"}));
  now_ += seconds(60);
  EXPECT_EQ(said(), Lines{"995 more warnings like these"});
  complaints_.note("0");
  EXPECT_EQ(said(), Lines{"0"});
}

}  // namespace
}  // namespace fetchline
