#include "proto/peer_watch.h"

#include <gtest/gtest.h>

#include "tests/proto/start.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Line = std::optional<std::string>;

// A watch that is asked in every turn of a loop.
class Turns {
 public:
  explicit Turns(Duration timeout = 0s) : watch_("a worker at tcp://x", timeout, kStart) {}

  // The line of the turn at `now`; there was none in those since the last.
  Line update(Instant heard, Instant now) {
    for (last_ += 500ms; last_ < now; last_ += 500ms) EXPECT_EQ(watch_.update({}, last_), Line());
    return update_late(heard, now);
  }
  Line update_late(Instant heard, Instant now) { return watch_.update(heard, last_ = now); }
  [[nodiscard]] bool timed_out(Instant now) {
    for (last_ += 500ms; last_ < now; last_ += 500ms) (void)watch_.update({}, last_);
    (void)update_late({}, now);
    return watch_.timed_out(now);
  }
  [[nodiscard]] bool waiting() const { return watch_.waits_for() != nullptr; }

 private:
  PeerWatch watch_;
  Instant last_ = kStart;
};

TEST(PeerWatch, SaysNothingDuringTheFirstSecond) {
  Turns peer;
  EXPECT_EQ(peer.update({}, kStart), Line());
  EXPECT_EQ(peer.update({}, kStart + 999ms), Line());
  EXPECT_FALSE(peer.waiting());
}

TEST(PeerWatch, SaysForWhomItWaitsAfterASecondAndThenEveryHalfMinute) {
  Turns peer;
  EXPECT_EQ(peer.update({}, kStart + 1s), "waiting for a worker at tcp://x");
  EXPECT_TRUE(peer.waiting());
  EXPECT_EQ(peer.update({}, kStart + 2s), Line());
  EXPECT_EQ(peer.update({}, kStart + 30s), Line());
  EXPECT_EQ(peer.update({}, kStart + 31s), "waiting for a worker at tcp://x");
  EXPECT_EQ(peer.update({}, kStart + 32s), Line());
}

TEST(PeerWatch, SaysOnceThatTheOneWaitedForIsThere) {
  Turns peer;
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
  Turns peer;
  for (auto at = 0ms; at < 60s; at += 500ms) {
    EXPECT_EQ(peer.update(kStart + at, kStart + at), Line());
  }
}

TEST(PeerWatch, BearsWithASilenceShorterThanFourSeconds) {
  Turns peer;
  const Instant heard = kStart + 100ms;
  (void)peer.update(heard, heard);
  EXPECT_EQ(peer.update(heard, heard + 3999ms), Line());
  EXPECT_EQ(peer.update(heard, heard + 4s), "waiting for a worker at tcp://x");
  EXPECT_EQ(peer.update(heard + 5s, heard + 5s), "a worker at tcp://x is there");
}

TEST(PeerWatch, GivesUpAfterItsTimeoutWithoutASign) {
  Turns peer(10s);
  EXPECT_FALSE(peer.timed_out(kStart + 9999ms));
  EXPECT_TRUE(peer.timed_out(kStart + 10s));
}

TEST(PeerWatch, CountsTheTimeoutFromTheLastSign) {
  Turns peer(10s);
  (void)peer.timed_out(kStart + 7s);
  (void)peer.update_late(kStart + 8s, kStart + 8s);
  EXPECT_FALSE(peer.timed_out(kStart + 17s));
  EXPECT_TRUE(peer.timed_out(kStart + 18s));
}

TEST(PeerWatch, IgnoresASignOlderThanOneItHasSeen) {
  Turns peer(10s);
  (void)peer.timed_out(kStart + 7s);
  (void)peer.update_late(kStart + 8s, kStart + 8s);
  (void)peer.update_late(kStart + 2s, kStart + 9s);
  EXPECT_FALSE(peer.timed_out(kStart + 17s));
}

TEST(PeerWatch, HoldsItAgainstNobodyThatItsOwnProcessWasStopped) {
  Turns peer(10s);
  (void)peer.update(kStart + 100ms, kStart + 100ms);
  EXPECT_EQ(peer.update_late({}, kStart + 1h), Line());
  EXPECT_FALSE(peer.timed_out(kStart + 1h));
  EXPECT_EQ(peer.update({}, kStart + 1h + 4s), "waiting for a worker at tcp://x");
  EXPECT_EQ(peer.update_late({}, kStart + 2h), Line()) << "nor is it time to say it again";
  EXPECT_FALSE(peer.timed_out(kStart + 2h + 5999ms));
  EXPECT_TRUE(peer.timed_out(kStart + 2h + 6s));
}

TEST(PeerWatch, WaitsForEverWithoutATimeout) {
  EXPECT_FALSE(Turns(0s).timed_out(kStart + std::chrono::hours(24 * 7)));
}

TEST(PeerWatch, KnowsWhoIsThere) {
  const Instant start{std::chrono::seconds(1000)};
  PeerWatch watch("the collector", Duration::zero(), start);
  EXPECT_FALSE(watch.is_there(start)) << "never heard";
  const Instant heard = start + std::chrono::seconds(1);
  (void)watch.update(heard, heard);
  EXPECT_TRUE(watch.is_there(heard + std::chrono::seconds(3)));
  EXPECT_FALSE(watch.is_there(heard + PeerWatch::kSilence));
}

}  // namespace
}  // namespace fetchline
