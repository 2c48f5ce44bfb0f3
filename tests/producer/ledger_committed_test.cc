// What the ledger knows of tasks that are committed before they are read: a producer that resumes
// reads its input from the start.
#include "tests/producer/ledger_scene.h"

namespace fetchline {
namespace {

void add(Ledger& ledger, Index count) {
  for (Index i = 0; i < count; ++i) ledger.add(Task());
}

TEST(LedgerCommitted, KeepsNothingOfWhatIsBelowTheWatermarkWhenItIsRead) {
  Ledger ledger;
  ledger.commit_below(3);
  add(ledger, 2);
  EXPECT_EQ(ledger.base(), 2U);
  EXPECT_EQ(ledger.next_index(), 2U);
  EXPECT_EQ(ledger.unsent(), 0U);
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
  add(ledger, 3);
  EXPECT_EQ(rest(ledger), (Indices{3, 4}));
}

TEST(LedgerCommitted, CountsWhatFailedOnceItIsOut) {
  Ledger ledger = with_tasks(4);
  ledger.add(Task(), "not a URL");
  ledger.add(Task());
  lease(ledger, kOne, 3);
  EXPECT_TRUE(ledger.delivered(kOne, 0, Outcome::http_error));
  EXPECT_TRUE(ledger.delivered(kOne, 1));
  EXPECT_TRUE(ledger.delivered(kOne, 2, Outcome::timeout));
  EXPECT_EQ(ledger.failed(), 0U) << "nothing is out";
  ledger.commit(set_of({{2, 2}}));
  EXPECT_EQ(ledger.failed(), 0U);
  ledger.commit_below(3);
  EXPECT_EQ(ledger.failed(), 2U);
  ledger.commit_below(3);
  ledger.commit_below(6);
  EXPECT_EQ(ledger.failed(), 3U) << "the line without a URL";
}

TEST(LedgerCommitted, CountsWhatFailedByItsLastResult) {
  Ledger ledger = with_tasks(1);
  lease(ledger, kOne, 1);
  EXPECT_TRUE(ledger.delivered(kOne, 0, Outcome::reset));
  ledger.worker_lost(kOne);
  lease(ledger, kTwo, 1);
  EXPECT_TRUE(ledger.delivered(kTwo, 0));
  ledger.commit_below(1);
  EXPECT_EQ(ledger.failed(), 0U);
}

TEST(LedgerCommitted, PassesOverWhatWasCommittedBeforeItWasRead) {
  Ledger ledger;
  ledger.commit(set_of({{1, 2}, {5, 5}}));
  add(ledger, 3);
  EXPECT_EQ(ledger.unsent(), 1U) << "what is committed does not count as read ahead";
  ledger.commit(set_of({{7, 8}}));
  add(ledger, 7);
  EXPECT_EQ(ledger.unsent(), 5U);
  EXPECT_EQ(rest(ledger), (Indices{0, 3, 4, 6, 9}));
  ledger.commit_below(7);
  EXPECT_EQ(ledger.base(), 9U);
}

TEST(LedgerCommitted, MovesItsBaseOverWhatIsCommittedWhenItIsRead) {
  Ledger ledger;
  ledger.commit(set_of({{0, 1}, {3, 3}}));
  add(ledger, 2);
  EXPECT_EQ(ledger.base(), 2U);
  add(ledger, 2);
  EXPECT_EQ(ledger.base(), 2U);
  EXPECT_EQ(rest(ledger), (Indices{2}));
}

TEST(LedgerCommitted, KnowsAFaultyLineAsCommittedToo) {
  Ledger ledger;
  ledger.commit_below(1);
  ledger.add(Task(), "line 1: bad");
  ledger.add(Task(), "line 2: bad");
  EXPECT_EQ(ledger.take_decided(kAll)->task.index, 1U);
  EXPECT_FALSE(ledger.take_decided(kAll));
}

TEST(LedgerCommitted, IsQuickAboutManyThatAreKnown) {
  Ledger ledger;
  ledger.add(Task());
  ledger.commit(set_of({{1, 999'999}}));
  add(ledger, 1'000'000);
  EXPECT_EQ(ledger.unsent(), 2U);
  EXPECT_EQ(ledger.next_ready(1'000'000), 0U);
  EXPECT_EQ(rest(ledger), (Indices{0, 1'000'000}));
}

TEST(LedgerCommitted, NoticesThatWhatWasNotReadYetIsLacking) {
  Ledger ledger;
  ledger.commit_below(10);
  ledger.commit(set_of({{12, 14}, {20, 20}}));
  add(ledger, 2);
  const IndexSet all = set_of({{12, 14}, {20, 20}});
  EXPECT_FALSE(ledger.may_lack_result(10, all));
  EXPECT_FALSE(ledger.may_lack_result(30, {}));
  EXPECT_FALSE(ledger.may_lack_result(13, set_of({{13, 20}})));
  EXPECT_TRUE(ledger.may_lack_result(9, all));
  EXPECT_TRUE(ledger.may_lack_result(10, set_of({{12, 14}})));
  EXPECT_TRUE(ledger.may_lack_result(10, set_of({{12, 13}, {20, 20}})));
}

TEST(LedgerCommitted, NoticesThatWhatWasHandedOutMayBeLacking) {
  Ledger ledger;
  add(ledger, 3);
  EXPECT_FALSE(ledger.may_lack_result(0, {})) << "nothing is begun";
  (void)ledger.lease(10, {.worker = WorkerId{1}});
  EXPECT_TRUE(ledger.may_lack_result(0, {}));
  EXPECT_FALSE(ledger.may_lack_result(1, {}));
  (void)ledger.delivered(WorkerId{1}, 0);
  EXPECT_TRUE(ledger.may_lack_result(0, {}));
  EXPECT_FALSE(ledger.may_lack_result(0, set_of({{0, 0}})));
}

}  // namespace
}  // namespace fetchline
