#include "worker/job_session.h"

#include <gtest/gtest.h>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using Verdict = Report::Verdict;

JobSession session(Epoch epoch = Epoch{1}) { return {job_number(1), epoch, JobSlot{3}}; }

Tasks tasks(std::uint64_t seq, std::initializer_list<Index> indices, std::uint32_t attempt = 1,
            bool may_retry = true) {
  Tasks message;
  message.seq = seq;
  for (const Index index : indices) {
    Task& task = message.tasks.emplace_back();
    task.index = index;
    task.attempt = attempt;
    task.may_retry = may_retry;
  }
  return message;
}

Fetched fetched(Index index, Outcome outcome = Outcome::ok, bool transient = false) {
  Fetched back;
  back.job = JobSlot{3};
  back.result.index = index;
  back.result.outcome = outcome;
  back.result.attempts = 1;
  back.transient = transient;
  return back;
}

Indices start_all(JobSession& session, bool head_only = false) {
  Indices indices;
  while (auto task = session.start_next(head_only)) indices.push_back(task->index);
  return indices;
}

std::vector<Report> reports(JobSession& session) {
  Heartbeat heartbeat;
  session.write_heartbeat(heartbeat, false);
  return heartbeat.reports;
}

// The one report there is.
Report only_report(JobSession& session) {
  const auto all = reports(session);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? Report{.index = kMaxIndex, .retry_after = {}} : all[0];
}

IndexSet received(JobSession& session) {
  Heartbeat heartbeat;
  session.write_heartbeat(heartbeat, true);
  return heartbeat.received;
}

TEST(JobSession, StartsTheLowestIndexFirst) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {5, 3}), false);
  job.on_tasks(Epoch{1}, tasks(2, {4}), false);
  EXPECT_EQ(job.queued(), 3U);
  EXPECT_EQ(start_all(job), (Indices{3, 4, 5}));
  EXPECT_EQ(job.queued(), 0U);
  EXPECT_EQ(job.running(), 3U);
  EXPECT_FALSE(job.is_empty());
}

TEST(JobSession, SaysWhatItHasNotStartedWhenItSaysAllAgain) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {2, 3, 4, 7}), false);
  (void)job.start_next(false);
  Heartbeat heartbeat;
  job.write_heartbeat(heartbeat, true);
  EXPECT_EQ(heartbeat.queued, set_of({{3, 4}, {7, 7}}));
  (void)start_all(job);
  job.write_heartbeat(heartbeat, true);
  EXPECT_EQ(heartbeat.queued, IndexSet());
  Heartbeat news;
  job.write_heartbeat(news, false);
  EXPECT_FALSE(news.queued);
}

// The producer takes it for lost as soon as it knows of the later one, and may have handed out its
// tasks elsewhere.
TEST(JobSession, IgnoresAMessageThatALaterOneHasOvertaken) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(2, {4}), false);
  job.on_tasks(Epoch{1}, tasks(1, {3}), false);
  EXPECT_EQ(start_all(job), (Indices{4}));
  EXPECT_EQ(received(job), set_of({{2, 2}}));
}

TEST(JobSession, SaysWhichMessagesItReceived) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {0}), false);
  job.on_tasks(Epoch{1}, tasks(3, {1}), false);
  job.on_tasks(Epoch{1}, tasks(0, {}), false);  // an answer without tasks has no number
  EXPECT_EQ(received(job), set_of({{1, 1}, {3, 3}}));
}

TEST(JobSession, TakesARepeatedMessageOnce) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {0}), false);
  EXPECT_EQ(start_all(job), (Indices{0}));
  job.on_fetched(fetched(0, Outcome::timeout, true));
  job.on_tasks(Epoch{1}, tasks(1, {0}), false);
  EXPECT_TRUE(start_all(job).empty());
}

TEST(JobSession, HoldsAResultAndSaysThatItIsOnItsWay) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}), false);
  (void)start_all(job);
  job.on_fetched(fetched(7, Outcome::http_error));
  EXPECT_EQ(job.running(), 0U);
  EXPECT_TRUE(job.outbox().holds(7));
  const Report report = only_report(job);
  EXPECT_EQ(report.index, 7U);
  EXPECT_EQ(report.verdict, Verdict::delivered);
  EXPECT_EQ(report.attempt, 1U);
  EXPECT_EQ(report.outcome, Outcome::http_error);
  job.on_tasks(Epoch{1}, tasks(2, {7}, 2), false);
  EXPECT_EQ(reports(job).back().outcome, Outcome::http_error) << "said again of what it holds";
}

TEST(JobSession, ReportsAFailureThatMayPassInsteadOfHoldingIt) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}, 2), false);
  (void)start_all(job);
  Fetched back = fetched(7, Outcome::http_error, true);
  back.retry_after = 90s;
  job.on_fetched(std::move(back));
  EXPECT_FALSE(job.outbox().holds(7));
  const Report report = only_report(job);
  EXPECT_EQ(report.verdict, Verdict::retry);
  EXPECT_EQ(report.attempt, 2U);
  EXPECT_EQ(report.outcome, Outcome::http_error);
  EXPECT_EQ(report.retry_after, 90s);
}

TEST(JobSession, DeliversAFailureThatMayNotBeRepeated) {
  JobSession last = session(), lasting = session();
  last.on_tasks(Epoch{1}, tasks(1, {7}, 3, false), false);
  (void)start_all(last);
  last.on_fetched(fetched(7, Outcome::timeout, true));
  EXPECT_TRUE(last.outbox().holds(7)) << "the last attempt";
  EXPECT_EQ(only_report(last).verdict, Verdict::delivered);
  lasting.on_tasks(Epoch{1}, tasks(1, {7}, 1, true), false);
  (void)start_all(lasting);
  lasting.on_fetched(fetched(7, Outcome::dns_error, false));
  EXPECT_TRUE(lasting.outbox().holds(7)) << "a failure that does not pass";
}

TEST(JobSession, CountsTheAttemptsOfTheWholeFleet) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7, 8}, 3), false);
  (void)start_all(job);
  job.on_fetched(fetched(7));
  Fetched unasked = fetched(8, Outcome::blocked);
  unasked.result.attempts = 0;  // policy said no before any request
  job.on_fetched(std::move(unasked));
  const auto sent = message_of<Results>(
      std::move(*job.outbox().next_batch(job.job(), job.epoch(), {}, Instant(1000s))));
  ASSERT_EQ(sent.results.size(), 2U);
  EXPECT_EQ(sent.results[0].attempts, 3U);
  EXPECT_EQ(sent.results[1].attempts, 0U);
}

TEST(JobSession, GivesBackWhatWasCancelled) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}), false);
  (void)start_all(job);
  job.on_fetched(fetched(7, Outcome::cancelled));
  EXPECT_TRUE(job.outbox().empty());
  EXPECT_EQ(only_report(job).verdict, Verdict::returned);
}

TEST(JobSession, DeliversWhatWasCancelledForGood) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}), false);
  (void)start_all(job);
  job.on_fetched(fetched(7, Outcome::abandoned));
  EXPECT_EQ(only_report(job).verdict, Verdict::delivered);
  EXPECT_TRUE(job.outbox().holds(7));
}

TEST(JobSession, IgnoresWhatItDidNotStart) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}), false);
  job.on_fetched(fetched(7));
  job.on_fetched(fetched(8));
  EXPECT_TRUE(job.outbox().empty());
  EXPECT_TRUE(reports(job).empty());
  EXPECT_EQ(job.queued(), 1U);
}

TEST(JobSession, GivesBackItsQueue) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1, 2, 3}, 2), false);
  (void)job.start_next(false);
  job.return_queue();
  EXPECT_EQ(job.queued(), 0U);
  EXPECT_EQ(job.running(), 1U);
  const auto all = reports(job);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].index, 2U);
  EXPECT_EQ(all[1].index, 3U);
  for (const Report& report : all) {
    EXPECT_EQ(report.verdict, Verdict::returned);
    EXPECT_EQ(report.attempt, 2U);
  }
}

TEST(JobSession, GivesBackUnseenWhatComesWhileDraining) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1}), true);
  EXPECT_EQ(job.queued(), 0U);
  EXPECT_EQ(only_report(job).verdict, Verdict::returned);
  EXPECT_EQ(received(job), set_of({{1, 1}}));
}

TEST(JobSession, DoesNotFetchAgainWhatItHoldsOrRuns) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1, 2}), false);
  (void)start_all(job);
  job.on_fetched(fetched(1));
  job.on_tasks(Epoch{1}, tasks(2, {1, 2}, 2), false);
  EXPECT_TRUE(start_all(job).empty());
  const auto all = reports(job);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].index, 1U);
  EXPECT_EQ(all[1].verdict, Verdict::delivered);
  EXPECT_EQ(all[1].attempt, 2U);
}

TEST(JobSession, AnswersForTheLaterOfTwoOrdersOfWhatRuns) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1}, 1, true), false);
  (void)start_all(job);
  job.on_tasks(Epoch{1}, tasks(2, {1}, 3, false), false);
  job.on_tasks(Epoch{1}, tasks(3, {1}, 2, true), false);  // overtaken
  job.on_fetched(fetched(1, Outcome::timeout, true));
  const Report report = only_report(job);
  EXPECT_EQ(report.attempt, 3U);
  EXPECT_EQ(report.verdict, Verdict::delivered) << "the later order allows no retry";
  EXPECT_EQ(job.running(), 0U);
}

TEST(JobSession, QueuesTheLaterOfTwoOrders) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1}, 2), false);
  job.on_tasks(Epoch{1}, tasks(2, {1}, 1), false);
  EXPECT_EQ(job.queued(), 1U);
  EXPECT_EQ(job.start_next(false)->attempt, 2U);
}

TEST(JobSession, StartsOnlyTheHeadWhenAsked) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {4, 5, 6}), false);
  EXPECT_EQ(job.start_next(true), std::nullopt);
  Acks acks;
  acks.boot = BootId{1};
  acks.watermark = 5;
  job.outbox().on_acks(acks, {});
  EXPECT_EQ(start_all(job, true), (Indices{4, 5}));
  EXPECT_EQ(job.queued(), 1U);
}

TEST(JobSession, IsEmptyWhenNothingIsLeftButReports) {
  JobSession job = session();
  EXPECT_TRUE(job.is_empty());
  job.on_tasks(Epoch{1}, tasks(1, {0}), false);
  EXPECT_FALSE(job.is_empty());
  (void)start_all(job);
  EXPECT_FALSE(job.is_empty());
  job.on_fetched(fetched(0));
  EXPECT_FALSE(job.is_empty());
  Acks acks;
  acks.accepted = set_of({{0, 0}});
  job.outbox().on_acks(acks, {});
  EXPECT_TRUE(job.is_empty());
  EXPECT_FALSE(job.reports().empty()) << "the producer does not know yet";
  Tasks answer;
  answer.reports_seen = 1;
  job.on_tasks(Epoch{1}, answer, false);
  EXPECT_TRUE(job.reports().empty());
}

// Epochs.

TEST(JobSession, IgnoresAnOlderProducer) {
  JobSession job = session(Epoch{2});
  job.on_tasks(Epoch{1}, tasks(1, {0}), false);
  EXPECT_EQ(job.queued(), 0U);
  EXPECT_TRUE(received(job).empty());
  EXPECT_EQ(job.epoch(), Epoch{2});
}

TEST(JobSession, BeginsAnewWithANewerProducer) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1, 2, 3}), false);
  (void)job.start_next(false);
  (void)job.start_next(false);
  job.on_fetched(fetched(1));
  job.on_tasks(Epoch{2}, tasks(1, {9}), false);
  EXPECT_EQ(job.epoch(), Epoch{2});
  EXPECT_EQ(received(job), set_of({{1, 1}})) << "the same number, but a message of this epoch";
  EXPECT_TRUE(reports(job).empty()) << "the older producer's";
  EXPECT_EQ(start_all(job), (Indices{9})) << "3 is handed out again, by the newer one";
  EXPECT_TRUE(job.outbox().holds(1)) << "what is done is done";
  EXPECT_EQ(job.running(), 2U);
}

// It counts attempts from 1 again, and believes no report of an attempt that it does not know.
TEST(JobSession, AnswersANewerProducerForItsOwnAttempt) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {7}, 3), false);
  (void)start_all(job);
  job.on_tasks(Epoch{2}, tasks(1, {7}, 1), false);
  job.on_fetched(fetched(7, Outcome::timeout, true));
  const Report report = only_report(job);
  EXPECT_EQ(report.verdict, Verdict::retry);
  EXPECT_EQ(report.attempt, 1U);
}

TEST(JobSession, CountsItsReportsAnewForANewerProducer) {
  JobSession job = session();
  job.on_tasks(Epoch{1}, tasks(1, {1, 2}), false);
  (void)start_all(job);
  job.on_fetched(fetched(1));
  (void)reports(job);
  job.on_tasks(Epoch{2}, tasks(1, {}), false);
  job.on_fetched(fetched(2));
  Heartbeat heartbeat;
  job.write_heartbeat(heartbeat, false);
  EXPECT_EQ(heartbeat.first_report, 1U);
  ASSERT_EQ(heartbeat.reports.size(), 1U);
  EXPECT_EQ(heartbeat.reports[0].index, 2U);
}

// Of an older epoch: what must not be requested twice is kept, and named.
class JobSessionOfPosts : public testing::Test {
 protected:
  static JobSettings posts() {
    JobSettings settings;
    settings.method = "POST";
    return settings;
  }
  IndexSet of_older_epoch() {
    Heartbeat heartbeat;
    session.write_heartbeat(heartbeat, true);
    return heartbeat.of_older_epoch;
  }

  JobSession session{job_number(1), Epoch{1}, JobSlot{3}, posts()};
};

TEST_F(JobSessionOfPosts, KeepsThemThroughAnEpochAndNamesThem) {
  Tasks message = tasks(1, {0, 1, 2, 3});
  message.tasks[3].method = "GET";
  session.on_tasks(Epoch{1}, message, false);
  ASSERT_TRUE(session.start_next(false));
  ASSERT_TRUE(session.start_next(false));
  session.on_fetched(fetched(0));
  EXPECT_EQ(of_older_epoch(), IndexSet());
  session.on_tasks(Epoch{2}, tasks(1, {}), false);
  EXPECT_EQ(of_older_epoch(), set_of({{0, 2}})) << "a result, one that runs, one that waits";
  EXPECT_EQ(start_all(session), Indices{2});
  session.on_fetched(fetched(1, Outcome::connect_error, true));
  EXPECT_EQ(only_report(session).verdict, Verdict::retry);
  EXPECT_EQ(of_older_epoch(), set_of({{0, 0}, {2, 2}}));
}

TEST_F(JobSessionOfPosts, NamesNoneThatTheNewEpochOrdered) {
  session.on_tasks(Epoch{1}, tasks(1, {0, 1}), false);
  session.on_tasks(Epoch{2}, tasks(1, {1, 2}), false);
  EXPECT_EQ(of_older_epoch(), set_of({{0, 0}}));
  session.on_tasks(Epoch{3}, tasks(1, {}), false);
  EXPECT_EQ(of_older_epoch(), set_of({{0, 2}}));
}

TEST_F(JobSessionOfPosts, ReturnsThemWhenItDrains) {
  session.on_tasks(Epoch{1}, tasks(1, {0}), false);
  session.on_tasks(Epoch{2}, tasks(1, {}), false);
  session.return_queue();
  EXPECT_EQ(only_report(session).verdict, Verdict::returned);
  EXPECT_EQ(of_older_epoch(), IndexSet());
}

}  // namespace
}  // namespace fetchline
