// Who gets what next, and what ends.
#include <algorithm>

#include "tests/producer/ledger_scene.h"

namespace fetchline {
namespace {

TEST(Ledger, GivesTasksTheirIndexInOrder) {
  Ledger ledger = with_tasks(2);
  EXPECT_EQ(ledger.next_index(), 2U);
  EXPECT_EQ(ledger.base(), 0U);
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).url, "http://h/0");
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).url, "http://h/1");
}

TEST(Ledger, HandsOutTheLowestIndexFirst) {
  Ledger ledger = with_tasks(6);
  EXPECT_EQ(lease(ledger, kOne, 4), (Indices{0, 1, 2, 3}));
  ledger.returned(kOne, 2);
  ledger.returned(kOne, 1);
  EXPECT_EQ(rest(ledger), (Indices{1, 2, 4, 5}));
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
}

TEST(Ledger, HandsOutNothingFromTheLimitOn) {
  Ledger ledger = with_tasks(6);
  EXPECT_EQ(ledger.ready(0), 0U);
  EXPECT_EQ(ledger.next_ready(0), std::nullopt);
  EXPECT_EQ(ledger.ready(4), 4U);
  EXPECT_EQ(ledger.ready(100), 6U);
  (void)lease(ledger, kOne, 5);
  ledger.returned(kOne, 3);
  EXPECT_EQ(ledger.ready(3), 0U);
  EXPECT_EQ(ledger.next_ready(3), std::nullopt);
  EXPECT_EQ(ledger.ready(4), 1U);
  EXPECT_EQ(ledger.next_ready(4), 3U);
  EXPECT_EQ(ledger.ready(6), 2U);
}

TEST(Ledger, KnowsWhoHoldsWhat) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 2);
  (void)lease(ledger, kTwo, 1);
  EXPECT_EQ(ledger.leased(), 3U);
  EXPECT_EQ(ledger.leased_to(kOne), 2U);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U);
  EXPECT_EQ(ledger.leased_to(WorkerId{3}), 0U);
  ASSERT_NE(ledger.leased_task(kTwo, 2), nullptr);
  EXPECT_EQ(ledger.leased_task(kTwo, 2)->url, "http://h/2");
  EXPECT_EQ(ledger.leased_task(kOne, 2), nullptr);
  EXPECT_EQ(ledger.leased_task(kOne, 3), nullptr);
}

TEST(Ledger, CountsWhatWasNeverHandedOut) {
  Ledger ledger = with_tasks(3);
  const std::size_t bytes = ledger.unsent_bytes();
  EXPECT_EQ(ledger.unsent(), 3U);
  EXPECT_GE(bytes, 3 * sizeof(Task));
  (void)lease(ledger, kOne, 1);
  EXPECT_EQ(ledger.unsent(), 2U);
  EXPECT_LT(ledger.unsent_bytes(), bytes);
  ledger.returned(kOne, 0);
  EXPECT_EQ(ledger.unsent(), 2U) << "it was handed out once";
  (void)rest(ledger);
  EXPECT_EQ(ledger.unsent(), 0U);
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
}

TEST(Ledger, KeepsADeliveredTaskFromBeingHandedOut) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  EXPECT_TRUE(ledger.delivered(kOne, 0));
  EXPECT_EQ(ledger.leased(), 1U);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
  EXPECT_EQ(ledger.base(), 0U) << "only the collector's word makes it safe";
}

TEST(Ledger, BelievesOnlyTheHolder) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 1);
  EXPECT_FALSE(ledger.delivered(kTwo, 0));
  EXPECT_FALSE(ledger.returned(kTwo, 0));
  EXPECT_FALSE(ledger.retry_at(kTwo, 0, kStart));
  EXPECT_FALSE(ledger.delivered(kOne, 1)) << "never handed out";
  EXPECT_FALSE(ledger.delivered(kOne, 2)) << "not there at all";
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_TRUE(ledger.delivered(kOne, 0));
  EXPECT_FALSE(ledger.delivered(kOne, 0)) << "told already";
}

TEST(Ledger, HandsOutARetryWhenItsTimeHasCome) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  EXPECT_TRUE(ledger.retry_at(kOne, 1, kStart + 2s));
  EXPECT_TRUE(ledger.retry_at(kOne, 0, kStart + 4s));
  EXPECT_EQ(ledger.waiting(), 2U);
  EXPECT_EQ(ledger.leased(), 1U);
  EXPECT_EQ(ledger.next_due(), kStart + 2s);
  ledger.release_due(kStart + 1999ms);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
  ledger.release_due(kStart + 2s);
  EXPECT_EQ(ledger.next_ready(kAll), 1U);
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).attempt, 2U);
  ledger.release_due(kStart + 60s);
  EXPECT_EQ(rest(ledger), (Indices{0}));
  EXPECT_EQ(ledger.next_due(), std::nullopt);
}

TEST(Ledger, HandsOutAllRetriesThatAreDueAtOnce) {
  Ledger ledger = with_tasks(4);
  (void)lease(ledger, kOne, 4);
  for (const Index index : {3U, 0U, 2U, 1U}) ledger.retry_at(kOne, index, kStart);
  ledger.commit(set_of({{2, 2}}));  // one of several with the same time
  ledger.release_due(kStart);
  EXPECT_EQ(rest(ledger), (Indices{0, 1, 3}));
}

TEST(Ledger, CountsAttemptsOnlyWhenOneFailed) {
  Ledger ledger = with_tasks(1);
  (void)lease(ledger, kOne, 1);
  ledger.returned(kOne, 0);
  (void)lease(ledger, kOne, 1);
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).attempt, 1U);
}

TEST(Ledger, HandsOutAgainWhatALostMessageCarried) {
  Ledger ledger = with_tasks(4);
  (void)lease(ledger, kOne, 2, 1);
  (void)lease(ledger, kOne, 1, 2);
  (void)lease(ledger, kTwo, 1, 1);
  ledger.message_lost(kOne, 1);
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U);
  EXPECT_EQ(rest(ledger), (Indices{0, 1}));
}

TEST(Ledger, HandsOutAgainWhatALostWorkerHeldOrDelivered) {
  Ledger ledger = with_tasks(6);
  (void)lease(ledger, kOne, 4);
  (void)lease(ledger, kTwo, 1);
  ledger.delivered(kOne, 0);
  ledger.delivered(kOne, 1);
  ledger.retry_at(kOne, 2, kStart + 5s);
  ledger.commit(set_of({{1, 1}}));
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.leased_to(kOne), 0U);
  EXPECT_EQ(rest(ledger), (Indices{0, 3, 5})) << "1 is safe, 2 waits, 4 is another's";
  EXPECT_EQ(ledger.waiting(), 1U);
}

TEST(Ledger, HandsOutOnceWhatALostWorkerHadGivenBack) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  ledger.returned(kOne, 0);
  EXPECT_EQ(lease(ledger, kTwo, 1), (Indices{0}));
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U) << "it is another's by now";
  EXPECT_EQ(rest(ledger), (Indices{1}));
}

TEST(Ledger, KeepsWhatADepartedWorkerDelivered) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  ledger.delivered(kOne, 0);
  ledger.worker_left(kOne);
  EXPECT_EQ(rest(ledger), (Indices{1}));
}

TEST(Ledger, ForgetsWhatIsBelowTheWatermark) {
  Ledger ledger = with_tasks(5);
  (void)lease(ledger, kOne, 3);
  ledger.delivered(kOne, 0);
  ledger.retry_at(kOne, 1, kStart);
  ledger.commit_below(4);  // delivered, delayed, leased and never handed out
  EXPECT_EQ(ledger.base(), 4U);
  EXPECT_EQ(ledger.leased(), 0U);
  EXPECT_EQ(ledger.waiting(), 0U);
  EXPECT_EQ(ledger.unsent(), 1U);
  EXPECT_EQ(rest(ledger), (Indices{4}));
  ledger.commit_below(2);  // overtaken
  EXPECT_EQ(ledger.base(), 4U);
}

TEST(Ledger, TakesAWatermarkBeyondWhatItHas) {
  Ledger ledger = with_tasks(2);
  ledger.commit_below(1000);
  EXPECT_EQ(ledger.base(), 2U);
  EXPECT_EQ(ledger.unsent(), 0U);
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.add(Task());
  EXPECT_EQ(rest(ledger), (Indices{})) << "it is out before it is read";
}

TEST(Ledger, PassesOverWhatWasCommittedBeforeItWasEverHandedOut) {
  Ledger ledger = with_tasks(6);
  ledger.commit(set_of({{1, 2}, {4, 4}, {100, 200}}));
  EXPECT_EQ(ledger.base(), 0U);
  EXPECT_EQ(rest(ledger), (Indices{0, 3, 5}));
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.commit(set_of({{0, 0}}));
  EXPECT_EQ(ledger.base(), 3U);
}

TEST(Ledger, DoesNotHandOutAgainWhatIsCommittedWhileReady) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  ledger.worker_lost(kOne);
  ledger.commit(set_of({{1, 1}}));
  EXPECT_EQ(ledger.ready(kAll), 2U);
  EXPECT_EQ(rest(ledger), (Indices{0, 2}));
}

TEST(Ledger, LetsNothingUndoACommit) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  ledger.commit(set_of({{1, 2}}));
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_FALSE(ledger.returned(kOne, 1));
  EXPECT_FALSE(ledger.retry_at(kOne, 2, kStart));
  ledger.message_lost(kOne, 1);
  ledger.worker_lost(kOne);
  ledger.commit(set_of({{1, 2}}));
  EXPECT_EQ(rest(ledger), (Indices{0}));
}

TEST(Ledger, GivesAFaultyLineToWhoeverDeliversItAndToNoWorker) {
  Ledger ledger;
  ledger.add(Task());
  Task place;
  place.url = "nonsense";
  ledger.add(std::move(place), "line 2: no scheme");
  ledger.add(Task());
  EXPECT_FALSE(ledger.take_decided(kAll)) << "a task is before it";
  (void)lease(ledger, kOne, 1);
  EXPECT_FALSE(ledger.take_decided(1));
  auto faulty = ledger.take_decided(2);
  ASSERT_TRUE(faulty);
  EXPECT_EQ(faulty->task.index, 1U);
  EXPECT_EQ(faulty->task.url, "nonsense");
  EXPECT_EQ(faulty->why, "line 2: no scheme");
  EXPECT_FALSE(ledger.take_decided(kAll)) << "each is taken once";
  EXPECT_EQ(rest(ledger), (Indices{2}));
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.commit_below(3);
  EXPECT_EQ(ledger.base(), 3U);
}

TEST(Ledger, DoesNotDeliverAFaultyLineThatIsCommitted) {
  Ledger ledger;
  ledger.add(Task(), "fault");
  ledger.add(Task(), "fault");
  ledger.commit(set_of({{0, 0}}));
  EXPECT_EQ(ledger.take_decided(kAll)->task.index, 1U);
  EXPECT_FALSE(ledger.take_decided(kAll));
}

}  // namespace
}  // namespace fetchline
