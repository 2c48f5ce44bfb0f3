// What a collector lets come when its memory is little.
#include <gtest/gtest.h>

#include "tests/collector/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

// Room for eight results of 100 kB.

struct TightScene : Scene {
  TightScene() : Scene(100, 8 * kBody) {
    open();
    turn(1s);
    (void)heard<State>("producer");
  }
  static constexpr std::size_t kBody = 100'000;
};

TEST(CollectorCore, AdmitsOnlyTheHeadWhenMemoryIsNearlyFull) {
  TightScene scene;
  scene.results("a", {1, 2, 3, 4, 5}, scene.kBody);
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("a").admit_limit, kMaxIndex);
  scene.results("a", {6}, scene.kBody);
  scene.turn();
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.accepted, set_of({{6, 6}}));
  EXPECT_EQ(acks.watermark, 0U);
  EXPECT_EQ(acks.admit_limit, 1U);
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<State>("producer").dispatch_limit, 1U);
}

TEST(CollectorCore, RefusesButNeverTheHeadWhenMemoryIsFull) {
  TightScene scene;
  scene.results("a", {1, 2, 3, 4, 5, 6, 7, 8}, scene.kBody);
  scene.results("b", {0}, 10 * scene.kBody);
  EXPECT_EQ(scene.take_all(), (Indices{0, 1, 2, 3, 4, 5, 6, 7}));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Acks>("a").refused, set_of({{8, 8}}));
  EXPECT_EQ(scene.heard_one<Acks>("b").accepted, set_of({{0, 0}}));
}

TEST(CollectorCore, AdmitsOnlyTheHeadAfterARefusalUntilTheHeadHasMoved) {
  TightScene scene;
  scene.results("a", {9}, 20 * scene.kBody);  // more than there is room for at all
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<Acks>("a").admit_limit, 1U);
  scene.turn(1s);
  EXPECT_TRUE(scene.heard<Acks>("a").empty()) << "it would only be refused again";
  scene.results("b", {0});
  (void)scene.take_all();
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<Acks>("a").admit_limit, kMaxIndex);
}

TEST(CollectorCore, IsNotMadeTightByAResultThatNobodyAskedFor) {
  Scene scene(4);
  scene.open();
  scene.results("a", {9});
  scene.results("b", {2});
  scene.turn(2ms);
  EXPECT_TRUE(scene.heard<Acks>("a").empty());
  EXPECT_EQ(scene.heard_one<Acks>("b").admit_limit, kMaxIndex);
}

TEST(CollectorCore, TellsThoseWhoWaitWhenThereIsRoomAgain) {
  TightScene scene;
  scene.results("a", {1, 2, 3, 5, 6, 7}, scene.kBody);
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<Acks>("a").admit_limit, 1U);
  (void)scene.heard<State>("producer");
  scene.turn(10ms);
  EXPECT_TRUE(scene.heard<Acks>("a").empty()) << "nothing has changed";
  scene.results("b", {0});
  (void)scene.take_all();  // 0 to 3, so three stay: less than half
  scene.turn(2ms);
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.admit_limit, kMaxIndex);
  EXPECT_EQ(acks.watermark, 4U);
  EXPECT_EQ(scene.heard_one<State>("producer").dispatch_limit, 104U);
  scene.turn(10ms);
  EXPECT_TRUE(scene.heard<Acks>("a").empty()) << "once is enough";
}

TEST(CollectorCore, TellsThoseWhoWaitWhenTheHeadMoves) {
  TightScene scene;
  scene.results("a", {1, 3, 4, 5, 6, 7}, scene.kBody);
  scene.turn();
  (void)scene.heard<Acks>("a");
  scene.results("b", {0});
  (void)scene.take_all();  // 0 and 1: five stay, which is still more than half
  scene.turn(2ms);
  const Acks acks = scene.heard_one<Acks>("a");
  EXPECT_EQ(acks.watermark, 2U);
  EXPECT_EQ(acks.admit_limit, 3U);
  EXPECT_EQ(scene.heard<State>("producer").back().dispatch_limit, 3U);
}

}  // namespace
}  // namespace fetchline
