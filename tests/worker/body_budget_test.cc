#include "worker/body_budget.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

constexpr std::size_t kOwn = BodyBudget::kOwnBytes;

TEST(BodyBudget, IsNotAskedForSmallBodies) {
  BodyBudget budget(0);
  BodyBudget::Share first(budget), second(budget);
  EXPECT_TRUE(first.cover(kOwn));
  EXPECT_TRUE(second.cover(kOwn));
  EXPECT_FALSE(budget.somebody_waits());
  EXPECT_EQ(budget.taken(), 0U);
}

TEST(BodyBudget, LetsAllButOneWaitWhenThereIsNoneLeft) {
  BodyBudget budget(100);
  BodyBudget::Share first(budget), second(budget), third(budget);
  EXPECT_TRUE(first.cover(kOwn + 60));
  EXPECT_TRUE(second.cover(kOwn + 40));
  EXPECT_TRUE(second.cover(kOwn + 41)) << "it goes on";
  EXPECT_FALSE(first.cover(kOwn + 61));
  EXPECT_TRUE(first.waits());
  EXPECT_FALSE(third.cover(kOwn + 1));
  EXPECT_TRUE(second.cover(kOwn + 1'000'000));
  EXPECT_FALSE(first.ask_again());
  EXPECT_TRUE(budget.somebody_waits());
}

TEST(BodyBudget, GivesTheNextItsTurnWhenOneEnds) {
  BodyBudget budget(0);
  BodyBudget::Share first(budget), second(budget), third(budget);
  EXPECT_TRUE(first.cover(kOwn + 1));
  EXPECT_FALSE(second.cover(kOwn + 1));
  EXPECT_FALSE(third.cover(kOwn + 1));
  first.release();
  EXPECT_TRUE(second.ask_again());
  EXPECT_FALSE(third.ask_again());
  third.release();
  EXPECT_FALSE(budget.somebody_waits()) << "one that ended while it waited";
  second.release();
  EXPECT_EQ(budget.taken(), 0U);
}

TEST(BodyBudget, LetsNobodyThroughWhileResultsTakeAllOfIt) {
  BodyBudget budget(100);
  BodyBudget::Share share(budget);
  budget.set_held(100, false);
  EXPECT_FALSE(share.cover(kOwn + 1));
  budget.set_held(50, false);
  EXPECT_TRUE(share.ask_again());
  EXPECT_TRUE(share.cover(kOwn + 51)) << "it is the only one";
}

TEST(BodyBudget, LetsOneThroughWhenTheCollectorWaitsForATask) {
  BodyBudget budget(100);
  BodyBudget::Share share(budget);
  budget.set_held(100, true);
  EXPECT_TRUE(share.cover(kOwn + 1));
}

}  // namespace
}  // namespace fetchline
