// What a producer core tells those who watch.
#include "producer/producer_status.h"

#include <chrono>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

class Status : public testing::Test {
 protected:
  ProducerStatus status() { return scene.core.status(scene.now); }
  // The head, which there must be.
  ProducerStatus::Head head() { return status().head.value_or(ProducerStatus::Head{}); }

  Scene scene;
};

TEST_F(Status, CountsWhereTasksAre) {
  scene.add_tasks(10);
  EXPECT_EQ(status().phase, "opening");
  scene.open(8);
  scene.worker("a", 4);
  scene.turn();
  const ProducerStatus now = status();
  EXPECT_EQ(now.phase, "running");
  EXPECT_EQ(now.tasks_read, 10U);
  EXPECT_EQ(now.in_flight, 4U);
  EXPECT_EQ(now.unsent, 6U);
  EXPECT_EQ(now.begun, 4U);
  EXPECT_EQ(now.finished, 0U);
  EXPECT_EQ(now.dispatch_limit, 8U);
  ASSERT_EQ(now.hosts.size(), 1U);
  EXPECT_EQ(now.hosts[0].name, "h");
  EXPECT_EQ(now.hosts[0].in_flight, 4U);
}

TEST_F(Status, TellsWhatFailedFromReportsUntilTheCountsOfAllAreThere) {
  scene.add_tasks(4);
  scene.open();
  StubWorker& worker = scene.worker("a", 4);
  scene.turn();
  scene.report(worker, {0, 1, Report::Verdict::delivered, Outcome::http_error, {}});
  scene.delivers(worker, 1);
  scene.report(worker, {3, 1, Report::Verdict::delivered, Outcome::timeout, {}});
  EXPECT_EQ(scene.core.failed(), 0U) << "nothing is out";
  scene.collector_says(scene.next_state(2));
  EXPECT_EQ(scene.core.finished(), 2U);
  EXPECT_EQ(scene.core.failed(), 1U);
  Done done;
  done.counts[static_cast<std::size_t>(Outcome::ok)] = 1;
  done.counts[static_cast<std::size_t>(Outcome::timeout)] = 3;
  scene.collector_says(done);
  EXPECT_EQ(scene.core.finished(), 4U);
  EXPECT_EQ(scene.core.failed(), 3U);
}

TEST_F(Status, ShowsTheHeadFromTheInputToTheOutput) {
  scene.open();
  EXPECT_FALSE(status().head) << "nothing is read";
  scene.add_tasks(1);
  EXPECT_EQ(head().place, "ready");
  EXPECT_EQ(head().url, "http://h/0");
  EXPECT_EQ(head().worker, "");
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.now += 1500ms;
  EXPECT_EQ(head().place, "running");
  EXPECT_EQ(head().worker, "a");
  EXPECT_EQ(head().attempt, 1U);
  EXPECT_EQ(head().age, 1500ms);
  scene.delivers(worker, 0);
  EXPECT_EQ(head().place, "delivered");
  scene.collector_says(scene.next_state(1));
  EXPECT_FALSE(status().head);
  EXPECT_EQ(status().finished, 1U);
}

TEST_F(Status, SaysWhenTheHeadIsTriedAgain) {
  scene.add_tasks(1);
  scene.open();
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.report(worker, {0, 1, Report::Verdict::retry, Outcome::connect_error, 700ms});
  scene.turn();
  const ProducerStatus::Head waiting = head();
  EXPECT_EQ(waiting.place, "waiting");
  EXPECT_EQ(waiting.attempt, 2U);
  ASSERT_TRUE(waiting.due);
  EXPECT_GT(*waiting.due, 0ms);
  EXPECT_EQ(status().waiting_for_retry, 1U);
}

TEST_F(Status, ShowsNoPasswords) {
  scene.open();
  Task task;
  task.url = "http://user:secret@h/a@b?c=d@e";
  scene.core.add(std::move(task));
  EXPECT_EQ(head().url, "http://h/a@b?c=d@e");
}

TEST_F(Status, ShowsWorkersThatHaveMostAndHowLongTheyAreSilent) {
  scene.add_tasks(5);
  scene.open();
  scene.worker("a", 1);
  StubWorker& busy = scene.worker("b", 4);
  scene.turn();
  scene.now += 2s;
  scene.beat(busy);
  const ProducerStatus now = status();
  EXPECT_EQ(now.worker_count, 2U);
  ASSERT_EQ(now.workers.size(), 2U);
  EXPECT_EQ(now.workers[0].name, "b");
  EXPECT_EQ(now.workers[0].held, 4U);
  EXPECT_EQ(now.workers[0].silent, 0ms);
  EXPECT_EQ(now.workers[1].name, "a");
  EXPECT_EQ(now.workers[1].silent, 2s);
}

TEST_F(Status, CountsHostsWithoutRegardToCaseAndShowsTheBusiest) {
  for (int host = 0; host < 15; ++host) {
    for (int i = 0; i <= host; ++i) {
      Task task;
      task.url = (i % 2 == 0 ? "http://h" : "http://u@H") + std::to_string(host) + ":80/";
      scene.core.add(std::move(task));
    }
  }
  scene.open();
  scene.worker("a", 200);
  scene.turn();
  const ProducerStatus now = status();
  ASSERT_EQ(now.hosts.size(), ProducerStatus::kMostHosts);
  EXPECT_EQ(now.hosts[0].name, "h14");
  EXPECT_EQ(now.hosts[0].in_flight, 15U);
  EXPECT_EQ(now.hosts[9].name, "h5");
}

TEST_F(Status, CountsWorkersThatWereLost) {
  scene.add_tasks(1);
  scene.open();
  scene.worker("a", 1);
  scene.turn();
  scene.pass(30, {});
  EXPECT_EQ(status().workers_lost, 1U);
  EXPECT_EQ(status().worker_count, 0U);
  EXPECT_EQ(head().place, "ready");
}

TEST_F(Status, SaysThatItStops) {
  EXPECT_FALSE(status().stopping);
  scene.core.stop_dispatch();
  EXPECT_TRUE(status().stopping);
}

}  // namespace
}  // namespace fetchline
