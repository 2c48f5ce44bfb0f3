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
  EXPECT_FALSE(first.ask_again(false));
  EXPECT_TRUE(budget.somebody_waits());
}

TEST(BodyBudget, GivesTheNextItsTurnWhenOneEnds) {
  BodyBudget budget(0);
  BodyBudget::Share first(budget), second(budget), third(budget);
  EXPECT_TRUE(first.cover(kOwn + 1));
  EXPECT_FALSE(second.cover(kOwn + 1));
  EXPECT_FALSE(third.cover(kOwn + 1));
  first.release();
  EXPECT_TRUE(second.ask_again(false));
  EXPECT_FALSE(third.ask_again(false));
  third.release();
  EXPECT_FALSE(budget.somebody_waits()) << "one that ended while it waited";
  second.release();
  EXPECT_EQ(budget.taken(), 0U);
}

TEST(BodyBudget, LetsNobodyThroughWhileResultsTakeMoreThanHalf) {
  BodyBudget budget(100);
  BodyBudget::Share share(budget);
  budget.set_held(51, {});
  EXPECT_TRUE(budget.is_full());
  EXPECT_TRUE(share.cover(kOwn + 49)) << "there is room for it";
  EXPECT_FALSE(share.cover(kOwn + 50));
  EXPECT_FALSE(share.ask_again(false));
  budget.set_held(50, {});
  EXPECT_FALSE(budget.is_full());
  EXPECT_TRUE(share.ask_again(false));
  EXPECT_TRUE(share.cover(kOwn + 51)) << "it is the only one";
}

TEST(BodyBudget, LetsATaskThroughThatTheCollectorWaitsFor) {
  BodyBudget budget(100);
  BodyBudget::Share share(budget);
  budget.set_held(100, {{JobSlot{1}, 5}, {JobSlot{2}, 9}});
  EXPECT_TRUE(budget.is_head(JobSlot{1}, 5));
  EXPECT_TRUE(budget.is_head(JobSlot{1}, 4)) << "it is overdue";
  EXPECT_FALSE(budget.is_head(JobSlot{1}, 6));
  EXPECT_TRUE(budget.is_head(JobSlot{2}, 9));
  EXPECT_FALSE(budget.is_head(JobSlot{3}, 0));
  EXPECT_FALSE(share.cover(kOwn + 1));
  EXPECT_FALSE(share.ask_again(false));
  EXPECT_TRUE(share.ask_again(true));
  EXPECT_TRUE(share.cover(kOwn + 1'000'000)) << "to its end";
}

TEST(BodyBudget, CountsAResultOnItsWayFromItsTransfer) {
  BodyBudget budget(100);
  BodyBudget::Share first(budget), second(budget);
  EXPECT_TRUE(first.cover(kOwn + 60));
  budget.pass_on(60);
  first.release();
  EXPECT_TRUE(budget.is_full());
  EXPECT_FALSE(second.cover(kOwn + 41));
  budget.set_held(60, {});
  budget.arrived(60);
  EXPECT_FALSE(second.ask_again(false));
  budget.set_held(0, {});
  EXPECT_TRUE(second.ask_again(false));
}

}  // namespace
}  // namespace fetchline
