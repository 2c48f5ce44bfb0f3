// What the producer believes of what its workers say.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using Indices = std::vector<Index>;

// A worker that says the impossible, and a task that must not be requested twice.
class Liar : public testing::Test {
 protected:
  Liar() {
    scene_.open();
    Task post;
    post.url = "http://h/0";
    post.method = "POST";
    scene_.core.add(std::move(post));
    liar_ = &scene_.worker("liar", 1);
    scene_.turn();
    EXPECT_EQ(liar_->indices(), (Indices{0}));
    honest_ = &scene_.worker("honest", 1);
  }

  void expect_unheard() {
    scene_.turn();
    EXPECT_EQ(scene_.core.dropped_messages(), 1U);
    EXPECT_EQ(scene_.core.in_flight(), 1U);
    EXPECT_TRUE(honest_->tasks.empty());
  }

  Scene scene_;
  StubWorker* liar_ = nullptr;
  StubWorker* honest_ = nullptr;
};

TEST_F(Liar, IsNotHeardWhenItConfirmsAMessageThatWasNeverSent) {
  liar_->says.received = set_of({{2, 2}});  // then the first one would be lost for certain
  scene_.beat(*liar_);
  expect_unheard();
}

TEST_F(Liar, IsNotBelievedWhenItLeavesOutReports) {
  liar_->says.first_report = 3;
  scene_.returns(*liar_, 0);
  scene_.turn();
  EXPECT_EQ(scene_.core.in_flight(), 1U);
  EXPECT_TRUE(honest_->tasks.empty());
}

TEST_F(Liar, IsNotHeardWhenItReportsATaskThatWasNeverRead) {
  liar_->says.reports.push_back({0, 1, Report::Verdict::returned, Outcome::cancelled, {}});
  scene_.returns(*liar_, 1);
  expect_unheard();
}

TEST_F(Liar, IsNotHeardWhenItQueuesATaskThatWasNeverRead) {
  liar_->says.queued = set_of({{0, 1}});
  scene_.returns(*liar_, 0);
  expect_unheard();
}

// The heartbeat with the first report was lost; each second all are said again.
TEST(ProducerBelief, TakesNoWorkerForALiarWhoseReportsHaveAGap) {
  Scene scene;
  scene.open();
  scene.add_tasks(2);
  StubWorker& worker = scene.worker("a", 2);
  scene.turn();
  worker.says.first_report = 2;
  scene.delivers(worker, 1);
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
  EXPECT_EQ(scene.core.in_flight(), 2U) << "not before the one in front of it";
  scene.add_tasks(1);
  scene.turn();
  EXPECT_FALSE(worker.messages.back().settings) << "what it received counts";
  worker.says.first_report = 1;
  worker.says.reports.clear();
  scene.delivers(worker, 0);
  scene.delivers(worker, 1);
  EXPECT_EQ(scene.core.in_flight(), 0U);
}

TEST(ProducerBelief, GoesOnWithTheNumbersOfAWorkerThatItHasForgotten) {
  Scene scene;
  scene.open();
  scene.add_tasks(3);
  StubWorker& worker = scene.worker("a", 1);
  scene.turn();
  scene.delivers(worker, 0);
  scene.leaves(worker);
  scene.delivers(worker, 1);  // overtook the farewell
  scene.turn();
  EXPECT_EQ(scene.core.dropped_messages(), 0U);
  EXPECT_EQ(worker.messages.back().seq, 2U);
  EXPECT_EQ(worker.messages.back().reports_seen, 2U);
}

}  // namespace
}  // namespace fetchline
