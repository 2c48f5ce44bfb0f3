#include "worker/report_queue.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using Indices = std::vector<Index>;

Report report(Index index) {
  Report made;
  made.index = index;
  return made;
}

ReportQueue queue_of(Index count) {
  ReportQueue queue;
  for (Index index = 0; index < count; ++index) queue.add(report(index));
  return queue;
}

Heartbeat next(ReportQueue& queue, bool again = false) {
  Heartbeat heartbeat;
  queue.write_to(heartbeat, again);
  return heartbeat;
}

Indices indices(const Heartbeat& heartbeat) {
  Indices all;
  for (const Report& each : heartbeat.reports) all.push_back(each.index);
  return all;
}

TEST(ReportQueue, IsEmptyAtFirst) {
  ReportQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.has_unsent());
  const Heartbeat heartbeat = next(queue);
  EXPECT_EQ(heartbeat.first_report, 1U);
  EXPECT_TRUE(heartbeat.reports.empty());
}

TEST(ReportQueue, SendsWhatIsNew) {
  ReportQueue queue = queue_of(2);
  EXPECT_TRUE(queue.has_unsent());
  EXPECT_EQ(indices(next(queue)), (Indices{0, 1}));
  EXPECT_FALSE(queue.has_unsent());
  queue.add(report(7));
  const Heartbeat heartbeat = next(queue);
  EXPECT_EQ(heartbeat.first_report, 3U);
  EXPECT_EQ(indices(heartbeat), (Indices{7}));
  EXPECT_FALSE(queue.empty());
}

TEST(ReportQueue, SendsAgainWhatIsNotSeenYet) {
  ReportQueue queue = queue_of(3);
  (void)next(queue);
  queue.seen(1);
  const Heartbeat heartbeat = next(queue, true);
  EXPECT_EQ(heartbeat.first_report, 2U);
  EXPECT_EQ(indices(heartbeat), (Indices{1, 2}));
}

TEST(ReportQueue, ForgetsWhatIsSeen) {
  ReportQueue queue = queue_of(3);
  (void)next(queue);
  queue.seen(0);
  EXPECT_EQ(indices(next(queue, true)), (Indices{0, 1, 2}));
  queue.seen(2);
  queue.seen(1);  // overtaken
  EXPECT_EQ(indices(next(queue, true)), (Indices{2}));
  queue.seen(3);
  EXPECT_TRUE(queue.empty());
  queue.add(report(9));
  const Heartbeat heartbeat = next(queue);
  EXPECT_EQ(heartbeat.first_report, 4U);
  EXPECT_EQ(indices(heartbeat), (Indices{9}));
}

TEST(ReportQueue, NumbersOnAfterASightingOfWhatIsNotThere) {
  ReportQueue queue = queue_of(2);
  queue.seen(1'000'000);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.has_unsent());
  queue.add(report(5));
  EXPECT_TRUE(queue.has_unsent());
  EXPECT_EQ(next(queue).first_report, 3U);
}

TEST(ReportQueue, KeepsItsPlaceWhenSomeOfWhatWasSentIsSeen) {
  ReportQueue queue = queue_of(2);
  (void)next(queue);
  queue.add(report(2));
  queue.seen(1);
  const Heartbeat heartbeat = next(queue);
  EXPECT_EQ(heartbeat.first_report, 3U);
  EXPECT_EQ(indices(heartbeat), (Indices{2}));
}

TEST(ReportQueue, SpreadsManyReportsOverHeartbeats) {
  ReportQueue queue = queue_of(kMaxReportsPerMessage + 10);
  const Heartbeat first = next(queue);
  EXPECT_EQ(first.reports.size(), kMaxReportsPerMessage);
  EXPECT_TRUE(queue.has_unsent());
  const Heartbeat second = next(queue);
  EXPECT_EQ(second.first_report, kMaxReportsPerMessage + 1);
  EXPECT_EQ(second.reports.size(), 10U);
  EXPECT_FALSE(queue.has_unsent());
}

}  // namespace
}  // namespace fetchline
