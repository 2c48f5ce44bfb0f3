#include "producer/worker_session.h"

#include <gtest/gtest.h>

#include "tests/proto/frames.h"
#include "tests/proto/start.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Lost = std::vector<WorkerSession::LostMessage>;

WorkerSession session() { return {WorkerId{7}, "peer", kStart}; }

Heartbeat beat(std::uint64_t seq) {
  Heartbeat heartbeat;
  heartbeat.worker = WorkerId{7};
  heartbeat.name = "host:1";
  heartbeat.seq = seq;
  heartbeat.slots = 10;
  heartbeat.backlog = 4;
  return heartbeat;
}

Heartbeat receiving(std::uint64_t seq, std::initializer_list<IndexRange> ranges) {
  Heartbeat heartbeat = beat(seq);
  heartbeat.received = set_of(ranges);
  return heartbeat;
}

Heartbeat reporting(std::uint64_t seq, std::uint64_t first, std::initializer_list<Index> indices) {
  Heartbeat heartbeat = beat(seq);
  heartbeat.first_report = first;
  for (const Index index : indices) {
    heartbeat.reports.emplace_back().index = index;
  }
  return heartbeat;
}

std::vector<Index> new_reports(WorkerSession& worker, const Heartbeat& heartbeat) {
  std::vector<Index> indices;
  for (const Report& report : worker.on_heartbeat("peer", heartbeat, kStart)) {
    indices.push_back(report.index);
  }
  return indices;
}

TEST(WorkerSession, TakesWhatTheNewestHeartbeatSays) {
  WorkerSession worker = session();
  (void)worker.on_heartbeat("peer", beat(5), kStart);
  EXPECT_EQ(worker.id(), WorkerId{7});
  EXPECT_EQ(worker.name(), "host:1");
  EXPECT_EQ(worker.slots(), 10U);
  EXPECT_EQ(worker.capacity(), 14U);
  EXPECT_FALSE(worker.draining());
  Heartbeat old = beat(4);
  old.slots = 99;
  (void)worker.on_heartbeat("old peer", old, kStart);
  EXPECT_EQ(worker.slots(), 10U);
  EXPECT_EQ(worker.peer(), "peer");
}

TEST(WorkerSession, FollowsAWorkerThatReconnects) {
  WorkerSession worker = session();
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  (void)worker.on_heartbeat("new peer", beat(2), kStart);
  EXPECT_EQ(worker.peer(), "new peer");
}

TEST(WorkerSession, HasNoRoomWhileDraining) {
  WorkerSession worker = session();
  Heartbeat draining = beat(1);
  draining.draining = true;
  (void)worker.on_heartbeat("peer", draining, kStart);
  EXPECT_TRUE(worker.draining());
  EXPECT_EQ(worker.slots(), 0U);
  EXPECT_EQ(worker.capacity(), 0U);
}

TEST(WorkerSession, IsSilentFiveSecondsAfterTheLastHeartbeat) {
  WorkerSession worker = session();
  EXPECT_FALSE(worker.silent(kStart + 4999ms, false));
  EXPECT_TRUE(worker.silent(kStart + 5s, false));
  (void)worker.on_heartbeat("peer", beat(2), kStart + 3s);
  EXPECT_FALSE(worker.silent(kStart + 7999ms, false));
  EXPECT_TRUE(worker.silent(kStart + 8s, false));
}

TEST(WorkerSession, IsGivenMoreTimeWhenItsDeathWouldBeAProof) {
  WorkerSession worker = session();
  worker.note_unreachable(kStart + 4s);
  EXPECT_FALSE(worker.silent(kStart + 14'999ms, true)) << "so late the link may be what broke";
  EXPECT_TRUE(worker.silent(kStart + 15s, true));
  worker.note_unreachable(kStart + 3999ms);
  EXPECT_FALSE(worker.silent(kStart + 4999ms, true));
  EXPECT_TRUE(worker.silent(kStart + 5s, true)) << "its side closed the connection";
  (void)worker.on_heartbeat("another peer", beat(2), kStart + 6s);
  EXPECT_FALSE(worker.silent(kStart + 20s, true));
}

TEST(WorkerSession, IsSpokenToEachSecondWhileItIsQuiet) {
  WorkerSession worker = session();
  EXPECT_FALSE(worker.take_probe_due(kStart + 1999ms));
  EXPECT_TRUE(worker.take_probe_due(kStart + 2s));
  EXPECT_FALSE(worker.take_probe_due(kStart + 2999ms));
  EXPECT_TRUE(worker.take_probe_due(kStart + 3s));
}

TEST(WorkerSession, OwesAnAnswerToEveryHeartbeatOnce) {
  WorkerSession worker = session();
  EXPECT_FALSE(worker.take_answer_due());
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  EXPECT_TRUE(worker.take_answer_due());
  EXPECT_FALSE(worker.take_answer_due());
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  EXPECT_TRUE(worker.take_answer_due());
}

TEST(WorkerSession, CountsItsMessagesFromOne) {
  WorkerSession worker = session();
  EXPECT_EQ(worker.number_next_message(kStart), 1U);
  EXPECT_EQ(worker.number_next_message(kStart), 2U);
}

TEST(WorkerSession, GivesSettingsUntilAMessageIsConfirmed) {
  WorkerSession worker = session();
  (void)worker.number_next_message(kStart);
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  EXPECT_FALSE(worker.has_settings());
  (void)worker.on_heartbeat("peer", receiving(2, {{1, 1}}), kStart);
  EXPECT_TRUE(worker.has_settings());
  (void)worker.on_heartbeat("peer", beat(1), kStart);  // overtaken
  EXPECT_TRUE(worker.has_settings());
}

TEST(WorkerSession, KnowsAMessageAsLostWhenALaterOneArrived) {
  WorkerSession worker = session();
  for (int i = 0; i < 5; ++i) (void)worker.number_next_message(kStart);
  (void)worker.on_heartbeat("peer", receiving(1, {{1, 1}, {4, 4}}), kStart);
  EXPECT_EQ(worker.take_lost_messages(), (Lost{{2, true}, {3, true}}));
  EXPECT_TRUE(worker.take_lost_messages().empty()) << "each is named once";
}

TEST(WorkerSession, KnowsAMessageAsLostWhenALivingWorkerLacksItForThreeSeconds) {
  WorkerSession worker = session();
  (void)worker.number_next_message(kStart);
  (void)worker.number_next_message(kStart + 1s);
  (void)worker.on_heartbeat("peer", beat(1), kStart + 2999ms);
  EXPECT_TRUE(worker.take_lost_messages().empty());
  (void)worker.on_heartbeat("peer", beat(2), kStart + 3s);
  EXPECT_EQ(worker.take_lost_messages(), (Lost{{1, false}}));
  EXPECT_TRUE(worker.doubts_a_message());
  EXPECT_FALSE(worker.runs_only_leased()) << "it may have arrived";
  EXPECT_TRUE(worker.take_lost_messages().empty());
  (void)worker.on_heartbeat("peer", receiving(3, {{2, 2}}), kStart + 9s);
  EXPECT_EQ(worker.take_lost_messages(), (Lost{{1, true}}));
  EXPECT_FALSE(worker.doubts_a_message());
  EXPECT_TRUE(worker.runs_only_leased());
  EXPECT_TRUE(worker.take_lost_messages().empty());
}

TEST(WorkerSession, TakesBackADoubtWhenTheMessageArrivesAfterAll) {
  WorkerSession worker = session();
  (void)worker.number_next_message(kStart);
  (void)worker.on_heartbeat("peer", beat(1), kStart + 3s);
  EXPECT_EQ(worker.take_lost_messages(), (Lost{{1, false}}));
  (void)worker.on_heartbeat("peer", receiving(2, {{1, 1}}), kStart + 4s);
  EXPECT_FALSE(worker.doubts_a_message());
  EXPECT_FALSE(worker.runs_only_leased()) << "its tasks went to others";
  EXPECT_TRUE(worker.take_lost_messages().empty());
}

// What waits in its queue.

TEST(WorkerSession, KnowsWhatTheWorkerHadNotStarted) {
  WorkerSession worker = session();
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  EXPECT_FALSE(worker.tells_what_it_queues());
  EXPECT_TRUE(worker.queued().empty());
  Heartbeat heartbeat = beat(2);
  heartbeat.queued = set_of({{3, 4}, {9, 9}});
  (void)worker.on_heartbeat("peer", heartbeat, kStart);
  EXPECT_TRUE(worker.tells_what_it_queues());
  EXPECT_EQ(worker.queued(), set_of({{3, 4}, {9, 9}}));
  (void)worker.on_heartbeat("peer", beat(3), kStart);
  EXPECT_EQ(worker.queued(), set_of({{3, 4}, {9, 9}})) << "it says so each second only";
  heartbeat = beat(1);
  heartbeat.queued = set_of({{1, 100}});
  (void)worker.on_heartbeat("peer", heartbeat, kStart);
  EXPECT_EQ(worker.queued(), set_of({{3, 4}, {9, 9}})) << "overtaken";
}

TEST(WorkerSession, TakesTheLowestOfTheQueueForStartedWithEachReport) {
  WorkerSession worker = session();
  Heartbeat heartbeat = beat(1);
  heartbeat.queued = set_of({{3, 4}, {9, 9}});
  (void)worker.on_heartbeat("peer", heartbeat, kStart);
  (void)worker.on_heartbeat("peer", reporting(2, 1, {0}), kStart);
  EXPECT_EQ(worker.queued(), set_of({{4, 4}, {9, 9}}));
  (void)worker.on_heartbeat("peer", reporting(3, 1, {0, 1}), kStart);
  EXPECT_EQ(worker.queued(), set_of({{9, 9}}));
  (void)worker.on_heartbeat("peer", reporting(4, 3, {2, 5, 6}), kStart);
  EXPECT_TRUE(worker.queued().empty());
}

TEST(WorkerSession, CallsNoMessageLostWhileTheWorkerIsSilent) {
  WorkerSession worker = session();
  (void)worker.on_heartbeat("peer", beat(1), kStart);
  (void)worker.number_next_message(kStart);
  EXPECT_TRUE(worker.take_lost_messages().empty());
}

TEST(WorkerSession, BearsConfirmationOfWhatItNeverSent) {
  WorkerSession worker = session();
  (void)worker.on_heartbeat("peer", receiving(1, {{0, 0}, {5, kMaxIndex - 1}}), kStart);
  EXPECT_TRUE(worker.take_lost_messages().empty());
}

TEST(WorkerSession, TellsEachReportOnce) {
  WorkerSession worker = session();
  EXPECT_EQ(new_reports(worker, reporting(1, 1, {10, 11})), (std::vector<Index>{10, 11}));
  EXPECT_EQ(worker.reports_seen(), 2U);
  EXPECT_TRUE(new_reports(worker, reporting(1, 1, {10, 11})).empty());
  EXPECT_EQ(new_reports(worker, reporting(2, 2, {11, 12})), (std::vector<Index>{12}));
  EXPECT_EQ(new_reports(worker, reporting(3, 4, {13})), (std::vector<Index>{13}));
  EXPECT_EQ(worker.reports_seen(), 4U);
}

TEST(WorkerSession, WaitsForTheReportsOfALostHeartbeat) {
  WorkerSession worker = session();
  EXPECT_TRUE(new_reports(worker, reporting(2, 3, {12})).empty());
  EXPECT_EQ(worker.reports_seen(), 0U);
  EXPECT_EQ(new_reports(worker, reporting(3, 1, {10, 11, 12})), (std::vector<Index>{10, 11, 12}));
}

TEST(WorkerSession, TakesTheReportsOfAnOvertakenHeartbeat) {
  WorkerSession worker = session();
  (void)new_reports(worker, beat(9));
  EXPECT_EQ(new_reports(worker, reporting(8, 1, {10})), (std::vector<Index>{10}));
}

}  // namespace
}  // namespace fetchline
