#include "proto/peer_watch.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Line = std::optional<std::string>;

const Instant kStart = Instant(1000s);

PeerWatch watch(Duration timeout = 0s) { return {"a worker at tcp://x", timeout, kStart}; }

TEST(PeerWatch, SaysNothingDuringTheFirstSecond) {
  PeerWatch peer = watch();
  EXPECT_EQ(peer.update({}, kStart), Line());
  EXPECT_EQ(peer.update({}, kStart + 999ms), Line());
  EXPECT_FALSE(peer.waiting());
}

TEST(PeerWatch, SaysForWhomItWaitsAfterASecondAndThenEveryHalfMinute) {
  PeerWatch peer = watch();
  EXPECT_EQ(peer.update({}, kStart + 1s), "waiting for a worker at tcp://x");
  EXPECT_TRUE(peer.waiting());
  EXPECT_EQ(peer.update({}, kStart + 2s), Line());
  EXPECT_EQ(peer.update({}, kStart + 30s), Line());
  EXPECT_EQ(peer.update({}, kStart + 31s), "waiting for a worker at tcp://x");
  EXPECT_EQ(peer.update({}, kStart + 32s), Line());
}

TEST(PeerWatch, SaysOnceThatTheOneWaitedForIsThere) {
  PeerWatch peer = watch();
  (void)peer.update({}, kStart + 1s);
  EXPECT_EQ(peer.update(kStart + 5s, kStart + 5s), "a worker at tcp://x is there");
  EXPECT_FALSE(peer.waiting());
  EXPECT_EQ(peer.update(kStart + 6s, kStart + 6s), Line());
}

TEST(PeerWatch, SaysNothingOfOneInTheSameProcess) {
  PeerWatch peer("the collector at inproc://results", 0s, kStart);
  EXPECT_EQ(peer.update({}, kStart + 1h), Line());
  EXPECT_EQ(peer.update(kStart + 1h, kStart + 1h), Line());
}

TEST(PeerWatch, SaysNothingOfAPeerThatIsThereFromTheStart) {
  PeerWatch peer = watch();
  for (auto at = 0ms; at < 60s; at += 500ms) {
    EXPECT_EQ(peer.update(kStart + at, kStart + at), Line());
  }
}

TEST(PeerWatch, BearsWithASilenceShorterThanFourSeconds) {
  PeerWatch peer = watch();
  const Instant heard = kStart + 100ms;
  (void)peer.update(heard, heard);
  EXPECT_EQ(peer.update(heard, heard + 3999ms), Line());
  EXPECT_EQ(peer.update(heard, heard + 4s), "waiting for a worker at tcp://x");
  EXPECT_EQ(peer.update(heard + 5s, heard + 5s), "a worker at tcp://x is there");
}

TEST(PeerWatch, GivesUpAfterItsTimeoutWithoutASign) {
  PeerWatch peer = watch(10s);
  EXPECT_FALSE(peer.timed_out(kStart + 9999ms));
  EXPECT_TRUE(peer.timed_out(kStart + 10s));
}

TEST(PeerWatch, CountsTheTimeoutFromTheLastSign) {
  PeerWatch peer = watch(10s);
  (void)peer.update(kStart + 8s, kStart + 8s);
  EXPECT_FALSE(peer.timed_out(kStart + 17s));
  EXPECT_TRUE(peer.timed_out(kStart + 18s));
}

TEST(PeerWatch, IgnoresASignOlderThanOneItHasSeen) {
  PeerWatch peer = watch(10s);
  (void)peer.update(kStart + 8s, kStart + 8s);
  (void)peer.update(kStart + 2s, kStart + 9s);
  EXPECT_FALSE(peer.timed_out(kStart + 17s));
}

TEST(PeerWatch, WaitsForEverWithoutATimeout) {
  EXPECT_FALSE(watch(0s).timed_out(kStart + std::chrono::hours(24 * 365)));
}

}  // namespace
}  // namespace fetchline
