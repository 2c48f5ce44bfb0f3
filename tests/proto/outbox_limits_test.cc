// What an outbox may send when: the admit limit, the byte window, the size of a message.
#include <gtest/gtest.h>

#include "tests/proto/outbox_scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(ResultOutbox, HoldsBackWhatIsNotAdmitted) {
  Acks tight = acks(1);
  tight.watermark = 3;
  tight.admit_limit = 5;
  ResultOutbox outbox = connected(tight);
  add(outbox, {4, 5, 6});
  EXPECT_EQ(all(outbox, kStart), (Indices{4}));
  outbox.on_acks(acks(2), kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{5, 6}));
}

TEST(ResultOutbox, SendsTheHeadWhateverTheLimits) {
  Acks shut = acks(1);
  shut.watermark = 0;
  shut.admit_limit = 0;
  shut.byte_window = 0;
  ResultOutbox outbox = connected(shut);
  add(outbox, {9});
  EXPECT_EQ(all(outbox, kStart), (Indices{9}));  // a probe: now something is under way
  add(outbox, {8});
  EXPECT_TRUE(all(outbox, kStart).empty());
  add(outbox, {0});
  EXPECT_EQ(all(outbox, kStart), (Indices{0}));
  shut.seq = 2;
  shut.watermark = 8;
  outbox.on_acks(shut, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{8}));
}

TEST(ResultOutbox, ObeysTheNewestLimitsOnly) {
  Acks tight = acks(5);
  tight.admit_limit = 1;
  ResultOutbox outbox = connected(tight);
  outbox.on_acks(acks(4), kStart);  // overtaken
  add(outbox, {3, 4});
  EXPECT_EQ(all(outbox, kStart), (Indices{3}));  // the probe
  EXPECT_TRUE(all(outbox, kStart).empty());
}

TEST(ResultOutbox, KeepsNoMoreUnderWayThanTheByteWindow) {
  Acks narrow = acks(1);
  narrow.byte_window = 5000;
  ResultOutbox outbox = connected(narrow);
  for (Index index = 1; index <= 10; ++index) outbox.add(result(index, 2000));
  EXPECT_EQ(all(outbox, kStart), (Indices{1, 2}));
  narrow.seq = 2;
  narrow.accepted = set_of({{1, 1}});
  outbox.on_acks(narrow, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{3}));
}

TEST(ResultOutbox, SendsAResultLargerThanTheByteWindowAlone) {
  Acks narrow = acks(1);
  narrow.byte_window = 100;
  ResultOutbox outbox = connected(narrow);
  outbox.add(result(1, 5000));
  outbox.add(result(2, 5000));
  EXPECT_EQ(all(outbox, kStart), (Indices{1}));
  narrow.seq = 2;
  narrow.accepted = set_of({{1, 1}});
  outbox.on_acks(narrow, kStart);
  EXPECT_EQ(all(outbox, kStart), (Indices{2}));
}

TEST(ResultOutbox, SendsLittleBeforeItHasHeardFromTheCollector) {
  ResultOutbox outbox;
  for (Index index = 0; index < 100; ++index) outbox.add(result(index, 10'000));
  const std::size_t sent = all(outbox, kStart).size();
  EXPECT_GT(sent, 0U);
  EXPECT_LE(sent, ResultOutbox::kBatchBytes / 10'000 + 1);
}

TEST(ResultOutbox, ObeysTheLimitsOfANewCollectorProcessWhateverItsCount) {
  ResultOutbox outbox = connected(acks(1'000));
  Acks reborn = acks(1);
  reborn.boot = BootId{2};
  reborn.watermark = 5;
  reborn.admit_limit = 6;
  outbox.on_acks(reborn, kStart);
  EXPECT_EQ(outbox.watermark(), 5U);
  add(outbox, {5, 6});
  EXPECT_EQ(all(outbox, kStart), (Indices{5}));
}

TEST(ResultOutbox, ProbesWithOneResultASecondWhileNothingIsAdmitted) {
  Acks tight = acks(1);
  tight.admit_limit = 1;
  ResultOutbox outbox = connected(tight);
  add(outbox, {0});
  EXPECT_EQ(all(outbox, kStart), (Indices{0}));
  tight.seq = 2;
  tight.accepted = set_of({{0, 0}});
  outbox.on_acks(tight, kStart);
  add(outbox, {7, 8, 9});
  EXPECT_TRUE(all(outbox, kStart + 999ms).empty());
  EXPECT_EQ(all(outbox, kStart + 1s), (Indices{7}));
  EXPECT_TRUE(all(outbox, kStart + 2s).empty());  // the probe is still under way
  tight.seq = 3;
  tight.refused = set_of({{7, 7}});
  outbox.on_acks(tight, kStart);
  EXPECT_EQ(all(outbox, kStart + 2s), (Indices{7}));
}

TEST(ResultOutbox, FreesTheByteWindowOfAMessageTakenBack) {
  Acks narrow = acks(1);
  narrow.byte_window = 2500;
  ResultOutbox outbox = connected(narrow);
  outbox.add(result(1, 2000));
  outbox.add(result(2, 2000));
  EXPECT_EQ(next(outbox, kStart), (Indices{1}));
  outbox.take_back_last_batch();
  EXPECT_EQ(all(outbox, kStart), (Indices{1}));
}

TEST(ResultOutbox, ClosesAMessageAtItsNumberOfResults) {
  ResultOutbox outbox = connected();
  for (Index index = 0; index < 150; ++index) outbox.add(result(index));
  EXPECT_EQ(next(outbox, kStart).size(), ResultOutbox::kBatchResults);
  EXPECT_EQ(next(outbox, kStart).size(), ResultOutbox::kBatchResults);
  EXPECT_EQ(next(outbox, kStart).size(), 150 - 2 * ResultOutbox::kBatchResults);
}

TEST(ResultOutbox, ClosesAMessageAtItsBytes) {
  ResultOutbox outbox = connected();
  for (Index index = 0; index < 5; ++index) outbox.add(result(index, 100 * 1024));
  EXPECT_EQ(next(outbox, kStart), (Indices{0, 1, 2}));
  EXPECT_EQ(next(outbox, kStart), (Indices{3, 4}));
}

TEST(ResultOutbox, SendsALargeResultWithoutWaitingForOthers) {
  ResultOutbox outbox = connected();
  outbox.add(result(0, std::size_t{3} << 20));
  outbox.add(result(1));
  EXPECT_EQ(next(outbox, kStart), (Indices{0}));
  EXPECT_EQ(next(outbox, kStart), (Indices{1}));
}

}  // namespace
}  // namespace fetchline
