#include "producer/pace.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(Pace, IsTheMedianOfWhatWasSeen) {
  Pace pace;
  EXPECT_EQ(pace.median(), 0s);
  pace.add(5s);
  EXPECT_EQ(pace.median(), 5s);
  pace.add(1s);
  pace.add(60s);
  EXPECT_EQ(pace.median(), 5s);
}

TEST(Pace, ForgetsWhatIsLongAgo) {
  Pace pace;
  for (int i = 0; i < 1000; ++i) pace.add(1s);
  for (int i = 0; i < 200; ++i) pace.add(9s);
  EXPECT_EQ(pace.median(), 9s);
}

}  // namespace
}  // namespace fetchline
