// Tasks that must not be requested twice, and what a producer before may have done with them.
#include "tests/producer/ledger_scene.h"

namespace fetchline {
namespace {

// GET, POST, GET, POST, …
Ledger with_posts(Index count) {
  Ledger ledger;
  for (Index i = 0; i < count; ++i) {
    ledger.add(Task(), {}, i % 2 == 0 ? Repetition::any_time : Repetition::never);
  }
  return ledger;
}

std::string_view place(const Ledger& ledger, Index index) { return ledger.standing(index)->place; }

TEST(LedgerDoubts, AreAboutWhatMustNotBeRequestedTwiceBelowTheMarkOnly) {
  Ledger ledger = with_posts(8);
  ledger.doubt_below(5);
  EXPECT_TRUE(ledger.has_doubts());
  EXPECT_EQ(ledger.unsent(), 6U);
  EXPECT_EQ(rest(ledger, kOne), (Indices{0, 2, 4, 5, 6, 7}));
  EXPECT_EQ(place(ledger, 1), "doubtful");
  EXPECT_EQ(place(ledger, 3), "doubtful");
}

TEST(LedgerDoubts, HoldForTasksThatAreReadLater) {
  Ledger ledger = with_posts(2);
  ledger.doubt_below(4);
  ledger.add(Task(), {}, Repetition::never);
  ledger.add(Task(), "a faulty line", Repetition::never);
  ledger.add(Task(), {}, Repetition::never);
  EXPECT_EQ(rest(ledger, kOne), (Indices{0, 3, 4}));
}

TEST(LedgerDoubts, EndWithACommit) {
  Ledger ledger = with_posts(4);
  ledger.doubt_below(4);
  ledger.commit(set_of({{1, 1}}));
  ledger.abandon_doubtful(2);
  EXPECT_TRUE(ledger.has_doubts());
  ledger.commit_below(4);
  EXPECT_FALSE(ledger.has_doubts());
  EXPECT_EQ(ledger.base(), 4U);
}

TEST(LedgerDoubts, EndAsALeaseOfWhoHasTheTask) {
  Ledger ledger = with_posts(4);
  ledger.doubt_below(4);
  ledger.adopt(kOne, set_of({{0, 1}, {9, 9}}), kStart);
  EXPECT_EQ(ledger.leased_to(kOne), 1U) << "what is not doubtful changes no hands";
  EXPECT_EQ(place(ledger, 1), "running");
  ledger.adopt(kTwo, set_of({{1, 1}}), kStart);
  EXPECT_EQ(ledger.leased_to(kTwo), 0U);
  EXPECT_TRUE(ledger.delivered(kOne, 1));
  ledger.commit(set_of({{1, 1}}));
  EXPECT_EQ(rest(ledger, kOne), (Indices{0, 2}));
}

TEST(LedgerDoubts, LeaveATaskToOthersWhenItsWorkerNeverSentIt) {
  Ledger ledger = with_posts(6);
  ledger.doubt_below(6);
  ledger.adopt(kOne, set_of({{1, 5}}), kStart);
  EXPECT_TRUE(ledger.returned(kOne, 5)) << "before its turn has come";
  EXPECT_TRUE(ledger.retry_at(kOne, 3, kStart + 1s));
  EXPECT_EQ(ledger.unsent(), 4U);
  EXPECT_EQ(rest(ledger, kOne), (Indices{0, 2, 4, 5}));
  EXPECT_TRUE(ledger.returned(kOne, 1)) << "behind those that went out";
  ledger.release_due(kStart + 1s);
  EXPECT_EQ(rest(ledger, kOne), (Indices{1, 3}));
}

TEST(LedgerDoubts, AbandonWhatDiesWithItsWorker) {
  Ledger ledger = with_posts(2);
  ledger.doubt_below(2);
  ledger.adopt(kOne, set_of({{1, 1}}), kStart);
  ledger.worker_died(kOne, "w", {});
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).index, 0U);
  const auto decided = ledger.take_decided(kAll);
  ASSERT_TRUE(decided);
  EXPECT_EQ(decided->outcome, Outcome::abandoned);
  EXPECT_EQ(decided->why, "may have been sent; --retry-unsafe repeats it");
}

TEST(LedgerDoubts, AbandonInTheEndWhatNobodyHas) {
  Ledger ledger = with_posts(6);
  ledger.doubt_below(6);
  ledger.abandon_doubtful(4);
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).index, 0U);
  auto decided = ledger.take_decided(kAll);
  ASSERT_TRUE(decided);
  EXPECT_EQ(decided->task.index, 1U);
  EXPECT_EQ(decided->outcome, Outcome::abandoned);
  EXPECT_EQ(decided->why,
            "an earlier run may have sent it, and no worker has it; --retry-unsafe repeats it");
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).index, 2U);
  EXPECT_TRUE(ledger.take_decided(kAll));
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).index, 4U);
  EXPECT_FALSE(ledger.next_ready(kAll));
  EXPECT_EQ(place(ledger, 5), "doubtful");
}

TEST(LedgerDoubts, MakeAnotherLogLackAResult) {
  Ledger ledger = with_posts(2);
  EXPECT_FALSE(ledger.may_lack_result(0, {}));
  ledger.doubt_below(2);
  EXPECT_TRUE(ledger.may_lack_result(0, {})) << "it may be under way";
}

TEST(LedgerDoubts, KnowWhichTaskIsNextThatMustNotBeRequestedTwice) {
  Ledger ledger = with_posts(6);
  EXPECT_EQ(ledger.next_unrepeatable(0), 1U);
  EXPECT_EQ(ledger.next_unrepeatable(2), 3U);
  ledger.commit(set_of({{3, 3}}));
  EXPECT_EQ(ledger.next_unrepeatable(2), 5U);
  ledger.commit_below(2);
  EXPECT_EQ(ledger.next_unrepeatable(0), 5U);
  EXPECT_EQ(ledger.next_unrepeatable(6), std::nullopt);
}

TEST(LedgerDoubts, KnowFromWhereOnNothingMayHaveBeenSent) {
  Ledger ledger = with_posts(6);
  EXPECT_EQ(ledger.in_doubt_below(), 0U);
  EXPECT_EQ(rest(ledger, kOne).size(), 6U);
  EXPECT_EQ(ledger.in_doubt_below(), 6U);
  EXPECT_TRUE(ledger.returned(kOne, 5));
  EXPECT_EQ(ledger.in_doubt_below(), 4U);
  EXPECT_FALSE(ledger.awaits_unrepeatable());
  EXPECT_TRUE(ledger.delivered(kOne, 3));
  EXPECT_TRUE(ledger.awaits_unrepeatable());
  EXPECT_EQ(ledger.in_doubt_below(), 4U);
  ledger.commit(set_of({{3, 3}}));
  EXPECT_FALSE(ledger.awaits_unrepeatable());
  EXPECT_EQ(ledger.in_doubt_below(), 4U) << "who comes next may not know it yet";
  ledger.commit_below(5);
  EXPECT_EQ(ledger.in_doubt_below(), 5U);
  ledger.doubt_below(9);
  EXPECT_EQ(ledger.in_doubt_below(), 9U) << "not all of those are read";
}

}  // namespace
}  // namespace fetchline
