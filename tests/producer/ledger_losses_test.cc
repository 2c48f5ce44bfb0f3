// What becomes of tasks whose worker dies, or which two workers have.
#include "tests/producer/ledger_scene.h"

namespace fetchline {
namespace {

void die_with_all(Ledger& ledger, WorkerId worker, const IndexSet& queued = {}) {
  (void)lease(ledger, worker, 1000);
  const char* const names[] = {"w0", "w1", "w2", "w3"};
  ledger.worker_died(worker, names[static_cast<std::size_t>(worker)], queued);
}

// Blame.

TEST(LedgerLosses, TakesATaskForASuspectWhenTwoWorkersDiedOfIt) {
  Ledger ledger = with_tasks(2);
  die_with_all(ledger, kOne, set_of({{1, 1}}));
  EXPECT_EQ(ledger.ready(kAll), 2U);
  EXPECT_EQ(ledger.suspects(), 0U);
  die_with_all(ledger, kTwo, set_of({{1, 1}}));
  EXPECT_EQ(ledger.next_suspect(kAll), 0U);
  EXPECT_EQ(ledger.next_suspect(0), std::nullopt);
  EXPECT_EQ(ledger.next_ready(kAll), 1U) << "it had not started there";
  EXPECT_EQ(ledger.ready(kAll), 1U);
}

TEST(LedgerLosses, AbandonsASuspectThatKillsAlone) {
  Ledger ledger = with_tasks(1);
  die_with_all(ledger, kOne);
  die_with_all(ledger, kTwo);
  EXPECT_EQ(ledger.lease_suspect(kAll, {kThree, 1, kStart, true}).index, 0U);
  EXPECT_TRUE(ledger.holds_alone(kThree));
  ledger.worker_died(kThree, "w3", {});
  EXPECT_FALSE(ledger.holds_alone(kThree));
  EXPECT_TRUE(ledger.is_decided(0));
  const auto decided = ledger.take_decided(kAll);
  ASSERT_TRUE(decided);
  EXPECT_EQ(decided->outcome, Outcome::abandoned);
  EXPECT_EQ(decided->attempts, 3U);
  EXPECT_EQ(decided->why, "its worker died 3 times: w1, w2, w3");
  EXPECT_EQ(ledger.leased(), 0U);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
}

TEST(LedgerLosses, NeverAbandonsWhatWasNotAlone) {
  Ledger ledger = with_tasks(1);
  die_with_all(ledger, kOne);
  die_with_all(ledger, kTwo);
  for (int i = 0; i < 3; ++i) {
    (void)ledger.lease_suspect(kAll, {kThree, 1, kStart, true});
    ledger.no_longer_alone(kThree);
    EXPECT_FALSE(ledger.holds_alone(kThree));
    ledger.worker_died(kThree, "w3", {});
    EXPECT_EQ(ledger.next_suspect(kAll), 0U);
  }
}

TEST(LedgerLosses, LetsASuspectGoThatComesThroughAlone) {
  Ledger ledger = with_tasks(1);
  die_with_all(ledger, kOne);
  die_with_all(ledger, kTwo);
  (void)ledger.lease_suspect(kAll, {kThree, 1, kStart, true});
  EXPECT_TRUE(ledger.delivered(kThree, 0));
  EXPECT_FALSE(ledger.holds_alone(kThree));
  ledger.commit_below(1);
  EXPECT_EQ(ledger.base(), 1U);
}

TEST(LedgerLosses, KeepsASuspectAloneWhateverBecomesOfIt) {
  Ledger ledger = with_tasks(1);
  die_with_all(ledger, kOne);
  die_with_all(ledger, kTwo);
  (void)ledger.lease_suspect(kAll, {kThree, 1, kStart, true});
  ledger.retry_at(kThree, 0, kStart);
  ledger.release_due(kStart);
  EXPECT_EQ(ledger.next_suspect(kAll), 0U);
  (void)ledger.lease_suspect(kAll, {kThree, 2, kStart, true});
  ledger.message_lost(kThree, 2);
  EXPECT_EQ(ledger.next_suspect(kAll), 0U);
  ledger.commit(set_of({{0, 0}}));
  EXPECT_EQ(ledger.suspects(), 0U);
}

TEST(LedgerLosses, TakesBackTheBlameOfAWorkerThatLives) {
  Ledger ledger = with_tasks(1);
  die_with_all(ledger, kOne);
  die_with_all(ledger, kTwo);
  EXPECT_EQ(ledger.suspects(), 1U);
  ledger.worker_came_back(kOne);
  EXPECT_EQ(ledger.suspects(), 0U);
  EXPECT_EQ(ledger.next_ready(kAll), 0U);
  die_with_all(ledger, kThree);
  EXPECT_EQ(ledger.suspects(), 1U);
}

TEST(LedgerLosses, BlamesNothingForWorkersThatLeaveOrLoseTheirSession) {
  Ledger ledger = with_tasks(1);
  for (int i = 0; i < 3; ++i) {
    (void)lease(ledger, kOne, 1);
    i % 2 == 0 ? ledger.worker_left(kOne) : ledger.worker_lost(kOne);
  }
  EXPECT_EQ(ledger.next_ready(kAll), 0U);
}

TEST(LedgerLosses, BlamesNoTaskThatWasDelivered) {
  Ledger ledger = with_tasks(1);
  for (const WorkerId worker : {kOne, kTwo}) {
    (void)lease(ledger, worker, 1);
    ledger.delivered(worker, 0);
    ledger.worker_died(worker, "w", {});
  }
  EXPECT_EQ(ledger.next_ready(kAll), 0U);
}

// What must not be requested twice.

constexpr const char* kMaySent = "may have been sent; --retry-unsafe repeats it";

TEST(LedgerLosses, AbandonsWhatMayHaveBeenRequestedOnce) {
  Ledger ledger = with_tasks(3, Repetition::never);
  (void)lease(ledger, kOne, 2);
  ledger.delivered(kOne, 1);
  ledger.worker_died(kOne, "w1", set_of({{0, 0}}));  // it may have started it since it said so
  for (const Index index : {0U, 1U}) {
    const auto decided = ledger.take_decided(kAll);
    ASSERT_TRUE(decided);
    EXPECT_EQ(decided->task.index, index);
    EXPECT_EQ(decided->outcome, Outcome::abandoned);
    EXPECT_EQ(decided->attempts, 1U);
    EXPECT_EQ(decided->why, kMaySent);
  }
  EXPECT_EQ(lease(ledger, kTwo, 10), (Indices{2}));
}

TEST(LedgerLosses, AbandonsItTooWhenItsWorkerLeaves) {
  Ledger ledger = with_tasks(2, Repetition::never);
  (void)lease(ledger, kOne, 2);
  ledger.delivered(kOne, 0);
  ledger.worker_left(kOne);
  EXPECT_TRUE(ledger.is_decided(1));
}

TEST(LedgerLosses, HandsItOutAgainWhenItCertainlyWasNotRequested) {
  Ledger ledger = with_tasks(2, Repetition::never);
  (void)lease(ledger, kOne, 1, 1);
  (void)lease(ledger, kOne, 1, 2);
  ledger.message_lost(kOne, 1, false);
  EXPECT_EQ(ledger.leased(), 2U) << "the message may arrive yet";
  ledger.message_lost(kOne, 1, true);
  ledger.returned(kOne, 1);
  EXPECT_EQ(lease(ledger, kTwo, 10), (Indices{0, 1}));
}

TEST(LedgerLosses, RetriesItWhenItsWorkerSaysThatItMay) {
  Ledger ledger = with_tasks(1, Repetition::never);
  (void)lease(ledger, kOne, 1);
  ledger.retry_at(kOne, 0, kStart);
  ledger.worker_died(kOne, "w1", {});
  ledger.release_due(kStart);
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).attempt, 2U);
}

// Second leases.

Ledger held_twice() {
  Ledger ledger = with_tasks(1);
  (void)lease(ledger, kOne, 1, 1);
  (void)ledger.lease_second(0, {kTwo, 5, kStart});
  return ledger;
}

TEST(LedgerLosses, CountsBothLeasesOfATask) {
  Ledger ledger = held_twice();
  EXPECT_EQ(ledger.leased(), 2U);
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U);
  const auto held = ledger.held();
  ASSERT_EQ(held.size(), 1U);
  EXPECT_TRUE(held[0].twice);
  EXPECT_EQ(ledger.lease_of(kTwo, 0)->message, 5U);
}

TEST(LedgerLosses, EndsBothLeasesWithTheFirstDelivery) {
  for (const WorkerId worker : {kOne, kTwo}) {
    Ledger ledger = held_twice();
    EXPECT_TRUE(ledger.delivered(worker, 0));
    EXPECT_EQ(ledger.leased(), 0U);
    EXPECT_FALSE(ledger.delivered(worker == kOne ? kTwo : kOne, 0));
    ledger.worker_lost(worker == kOne ? kTwo : kOne);
    EXPECT_EQ(ledger.next_ready(kAll), std::nullopt) << "the other holds the result";
    ledger.worker_lost(worker);
    EXPECT_EQ(ledger.next_ready(kAll), 0U);
  }
}

TEST(LedgerLosses, LeavesATaskToTheOtherWhenOneEndsIt) {
  for (const WorkerId worker : {kOne, kTwo}) {
    const WorkerId other = worker == kOne ? kTwo : kOne;
    for (int how = 0; how < 4; ++how) {
      Ledger ledger = held_twice();
      if (how == 0) ledger.retry_at(worker, 0, kStart);
      if (how == 1) ledger.returned(worker, 0);
      if (how == 2) ledger.message_lost(worker, worker == kOne ? 1 : 5);
      if (how == 3) ledger.worker_died(worker, "w", {});
      EXPECT_EQ(ledger.next_ready(kAll), std::nullopt) << how;
      EXPECT_EQ(ledger.waiting(), 0U) << how;
      EXPECT_EQ(ledger.leased(), 1U) << how;
      EXPECT_EQ(ledger.leased_to(other), 1U) << how;
      EXPECT_TRUE(ledger.retry_at(other, 0, kStart));
      ledger.release_due(kStart);
      EXPECT_EQ(ledger.lease(kAll, {kThree, 1}).attempt, 2U) << "one attempt, however many ran it";
    }
  }
}

TEST(LedgerLosses, ForgetsBothLeasesOfWhatIsCommitted) {
  Ledger ledger = held_twice();
  ledger.commit_below(1);
  EXPECT_EQ(ledger.leased(), 0U);
  EXPECT_EQ(ledger.leased_to(kTwo), 0U);
  EXPECT_TRUE(ledger.held().empty());
}

TEST(LedgerLosses, GivesUpALeaseThatIsOverdue) {
  Ledger ledger = with_tasks(1);
  (void)lease(ledger, kOne, 1);
  ledger.overdue(0);
  EXPECT_EQ(ledger.leased(), 0U);
  EXPECT_EQ(ledger.next_ready(kAll), 0U);
  Ledger once = with_tasks(1, Repetition::never);
  (void)lease(once, kOne, 1);
  once.overdue(0);
  EXPECT_TRUE(once.is_decided(0));
}

TEST(LedgerLosses, WhatACutOffWorkerDeliveredIsReadyAndWhatItRunsIsNot) {
  Ledger ledger;
  ledger.add(Task());
  ledger.add(Task());
  ledger.add(Task(), {}, Repetition::never);
  ledger.add(Task());
  for (int i = 0; i < 3; ++i) (void)ledger.lease(kAll, {kOne, 1, kStart});
  (void)ledger.lease(kAll, {kTwo, 1, kStart});
  ledger.delivered(kOne, 0);
  ledger.delivered(kOne, 2);
  ledger.delivered(kTwo, 3);
  ledger.worker_cut_off(kOne);
  EXPECT_EQ(ledger.ready(kAll), 1U);
  EXPECT_EQ(ledger.next_ready(kAll), 0U);
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_FALSE(ledger.is_decided(2)) << "its result is safe and may still come";
}

TEST(LedgerLosses, KnowsSinceWhenALeaseMayRun) {
  Ledger ledger = with_tasks(2);
  (void)ledger.lease(kAll, {kOne, 1, kStart});
  (void)ledger.lease(kAll, {kTwo, 1, kStart});
  ledger.not_started(kOne, set_of({{0, 50}}), kStart + 2s);
  EXPECT_EQ(ledger.lease_of(kOne, 0)->since, kStart + 2s);
  EXPECT_EQ(ledger.lease_of(kTwo, 1)->since, kStart) << "another's";
}

TEST(LedgerLosses, ListsWhatIsLeasedAndNothingElseHoweverLongOneLasts) {
  Ledger ledger;
  ledger.add(Task());
  (void)lease(ledger, kOne, 1);
  for (Index index = 1; index < 20'000; ++index) {
    ledger.add(Task());
    (void)lease(ledger, kTwo, 1);
    ledger.delivered(kTwo, index);
    ledger.commit(set_of({{index, index}}));
  }
  const auto held = ledger.held();
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].task->index, 0U);
}

}  // namespace
}  // namespace fetchline
