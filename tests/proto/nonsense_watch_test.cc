#include "proto/nonsense_watch.h"

#include <gtest/gtest.h>

#include "tests/proto/start.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Warnings = std::vector<std::string>;

TEST(NonsenseWatch, SaysNothingOfPeersThatMakeSense) {
  NonsenseWatch watch;
  EXPECT_TRUE(watch.due_lines(kStart).empty());
}

TEST(NonsenseWatch, SaysAtOnceWhoBeginsAndThenEveryTenSecondsHowOften) {
  NonsenseWatch watch;
  watch.add("10.0.0.1", "payload is damaged");
  EXPECT_EQ(watch.due_lines(kStart),
            (Warnings{"dropped a message from 10.0.0.1: payload is damaged"}));
  for (int i = 0; i < 500; ++i) watch.add("10.0.0.1", "unknown message type");
  EXPECT_TRUE(watch.due_lines(kStart + 9999ms).empty());
  EXPECT_EQ(watch.due_lines(kStart + 10s),
            (Warnings{"dropped 500 messages from 10.0.0.1: unknown message type"}));
  EXPECT_TRUE(watch.due_lines(kStart + 60s).empty()) << "nothing came since";
}

TEST(NonsenseWatch, CountsEachPeerForItself) {
  NonsenseWatch watch;
  watch.add("10.0.0.1", "x");
  EXPECT_EQ(watch.due_lines(kStart).size(), 1U);
  watch.add("10.0.0.1", "x");
  watch.add("10.0.0.2", "y");
  EXPECT_EQ(watch.due_lines(kStart + 1s), (Warnings{"dropped a message from 10.0.0.2: y"}));
}

TEST(NonsenseWatch, SaysNoMoreOfManyStrangersThanOfAFew) {
  NonsenseWatch watch;
  for (int i = 0; i < 10'000; ++i) watch.add(std::to_string(i), "x");
  const Warnings lines = watch.due_lines(kStart);
  EXPECT_EQ(lines.size(), NonsenseWatch::kPeers + 1);
  EXPECT_EQ(lines.back(), "dropped 9984 messages from other peers: x");
  (void)watch.due_lines(kStart + 10s);
  watch.add("10.0.0.1", "x");
  EXPECT_EQ(watch.due_lines(kStart + 10s), (Warnings{"dropped a message from 10.0.0.1: x"}))
      << "who makes sense again is forgotten";
}

TEST(NonsenseWatch, SpeaksOfAPeerWithoutAnAddressToo) {
  NonsenseWatch watch;
  watch.add("", "x");
  EXPECT_EQ(watch.due_lines(kStart), (Warnings{"dropped a message from a peer: x"}));
}

}  // namespace
}  // namespace fetchline
