// When a collector that was told to stop has all that is still coming.
#include "tests/collector/scene.h"

namespace fetchline {
namespace {

constexpr Duration kAWhile = std::chrono::seconds(1);
constexpr Duration kMoment = std::chrono::milliseconds(1);

class CollectorCoreDrain : public testing::Test {
 protected:
  CollectorCoreDrain() { scene_.open(); }

  void producer_has_in_hand(std::uint64_t tasks) {
    scene_.says("producer", Open{.nonce = Scene::kNonce, .in_hand = tasks});
  }
  [[nodiscard]] bool drained_after(Duration time) {
    scene_.now += time;
    return scene_.core.drained(scene_.now);
  }

  Scene scene_;
};

TEST_F(CollectorCoreDrain, IsOverAtOnceWithoutAJob) {
  Scene idle;
  idle.core.drain(idle.now);
  EXPECT_TRUE(idle.core.drained(idle.now));
}

TEST_F(CollectorCoreDrain, WaitsWhileTheProducerHasSomethingInHand) {
  scene_.core.drain(scene_.now);
  for (int i = 0; i < 10; ++i) {
    producer_has_in_hand(3);
    EXPECT_FALSE(drained_after(kAWhile));
  }
}

// The worker's report to the producer overtook its results on their way here.
TEST_F(CollectorCoreDrain, WaitsForWhatWasJustReportedFinished) {
  scene_.core.drain(scene_.now);
  EXPECT_FALSE(drained_after(kAWhile)) << "what was handed out since the last word?";
  producer_has_in_hand(0);
  EXPECT_FALSE(drained_after(kMoment));
  scene_.results("a", {0});
  EXPECT_FALSE(drained_after(kMoment));
  EXPECT_TRUE(drained_after(CollectorCore::kQuiet));
}

TEST_F(CollectorCoreDrain, WaitsAMomentWhenTheProducerSaysBye) {
  scene_.core.drain(scene_.now);
  (void)drained_after(kAWhile);
  scene_.bye_of_producer();
  EXPECT_FALSE(drained_after(kMoment));
  EXPECT_TRUE(drained_after(CollectorCore::kQuiet));
}

TEST_F(CollectorCoreDrain, RemembersThatTheProducerSaidByeBefore) {
  producer_has_in_hand(3);
  scene_.bye_of_producer();
  scene_.core.drain(scene_.now);
  EXPECT_FALSE(drained_after(kMoment));
  EXPECT_TRUE(drained_after(CollectorCore::kQuiet));
}

TEST_F(CollectorCoreDrain, IsOverWhenTheProducerIsSilent) {
  producer_has_in_hand(3);
  scene_.core.drain(scene_.now);
  EXPECT_TRUE(drained_after(CollectorCore::kGone));
}

}  // namespace
}  // namespace fetchline
