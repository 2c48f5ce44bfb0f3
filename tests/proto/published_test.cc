#include "proto/published.h"

#include <gtest/gtest.h>

#include <thread>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

constexpr auto kForEver = 30s;  // only a failure takes it

TEST(Published, IsMadeOnlyWhenSomebodyAsks) {
  Published<int> published;
  EXPECT_FALSE(published.is_wanted());
  EXPECT_EQ(published.get(0ms, [] {}), 0) << "nobody makes it";
  EXPECT_TRUE(published.is_wanted());
  published.publish(7);
  EXPECT_FALSE(published.is_wanted());
  EXPECT_EQ(published.get(0ms, [] {}), 7) << "of a maker that is stuck: as it was last";
}

TEST(Published, IsMadeAnewForEverybodyWhoAsks) {
  Published<int> published;
  published.publish(1);
  int woken = 0;
  // A maker that is waked up answers at once, with what is so now.
  std::thread maker;
  const int seen = published.get(kForEver, [&] {
    ++woken;
    maker = std::thread([&] { published.publish(2); });
  });
  maker.join();
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(woken, 1);
}

TEST(Published, GoesToAllWhoWait) {
  Published<int> published;
  std::vector<int> seen(4);
  std::atomic<int> asking = 0;
  std::vector<std::thread> watchers;
  for (int& answer : seen) {
    watchers.emplace_back([&] { answer = published.get(kForEver, [&] { ++asking; }); });
  }
  while (asking < 4) std::this_thread::yield();
  published.publish(5);
  for (std::thread& watcher : watchers) watcher.join();
  EXPECT_EQ(seen, std::vector<int>(4, 5));
}

}  // namespace
}  // namespace fetchline
