// One worker at two pairs of producer and collector.
#include <gtest/gtest.h>

#include "tests/worker/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using To = WorkerCore::To;

Scene two_links(std::uint32_t slots) {
  WorkerCore::Settings settings = Scene::default_settings();
  settings.links = 2;
  settings.slots = slots;
  return Scene(settings);
}

TEST(WorkerLinks, AskEachForAShareOfTheSlots) {
  Scene scene = two_links(10);
  scene.turn();
  EXPECT_EQ(scene.last_heartbeat(0).slots, 10U);
  EXPECT_EQ(scene.last_heartbeat(1).slots, 10U) << "nobody knows yet who has a job";
  scene.hand_out({0}, 0);
  scene.hand_out({0}, 1);
  scene.turn(1s);
  EXPECT_EQ(scene.last_heartbeat(0).slots, 5U);
  EXPECT_EQ(scene.last_heartbeat(1).slots, 5U);
  scene.producer_says(Done{}, 1);
  scene.turn(1s);
  EXPECT_EQ(scene.last_heartbeat(0).slots, 10U);
  EXPECT_FALSE(scene.core.over()) << "the other link has work";
  scene.producer_says(Done{}, 0);
  EXPECT_TRUE(scene.core.over());
}

TEST(WorkerLinks, TakeTurnsAtTheSlots) {
  Scene scene = two_links(4);
  scene.hand_out({0, 1, 2, 3, 4, 5}, 0);
  scene.hand_out({100, 101, 102, 103}, 1);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{0, 100, 1, 101}));
  scene.finish(0);
  scene.finish(1);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{2, 102}));
  EXPECT_EQ(scene.core.running(), 4U);
}

TEST(WorkerLinks, StartNoMoreThanTheSlotsTogether) {
  Scene scene = two_links(3);
  scene.hand_out({0, 1, 2}, 0);
  scene.hand_out({100, 101, 102}, 1);
  scene.turn();
  EXPECT_EQ(scene.take_started(), (Indices{0, 100, 1}));
  EXPECT_EQ(scene.core.running(), 3U);
}

TEST(WorkerLinks, NeverMix) {
  Scene scene = two_links(4);
  scene.hand_out({0}, 0);
  scene.hand_out({1}, 1);
  scene.turn();
  ASSERT_EQ(scene.opened.size(), 2U);
  EXPECT_EQ(scene.opened[0].settings.user_agent, "first");
  EXPECT_EQ(scene.opened[1].settings.user_agent, "second");
  EXPECT_EQ(scene.running[0], scene.opened[0].job);
  EXPECT_EQ(scene.running[1], scene.opened[1].job);
  scene.finish(0);
  scene.finish(1);
  scene.turn(1s);
  for (const std::size_t link : {0U, 1U}) {
    const Heartbeat heartbeat = scene.last_heartbeat(link);
    EXPECT_EQ(scene.last_job, Scene::job_of(link));
    ASSERT_EQ(heartbeat.reports.size(), 1U);
    EXPECT_EQ(heartbeat.reports[0].index, link);
    EXPECT_EQ(scene.results(link), (Indices{link}));
  }
  scene.collector_says(scene.acks({{0, 10}}), 1);
  EXPECT_TRUE(scene.core.awaits_collector(0));
  EXPECT_FALSE(scene.core.awaits_collector(1));
}

TEST(WorkerLinks, KeepApartTasksOfTheSameIndex) {
  Scene scene = two_links(4);
  scene.hand_out({0}, 0);
  scene.hand_out({0}, 1);
  scene.turn();
  for (const OpenJob& open : scene.opened) {
    Fetched fetched;
    fetched.job = open.job;
    fetched.result.outcome = Outcome::ok;
    fetched.result.url = open.settings.user_agent;
    scene.core.on_fetched(std::move(fetched));
  }
  for (const std::size_t link : {0U, 1U}) {
    auto frames = scene.core.next_results(link, scene.now);
    ASSERT_TRUE(frames);
    const Received received = received_of(std::move(*frames));
    EXPECT_EQ(received.job, Scene::job_of(link));
    EXPECT_EQ(std::get<Results>(received.message).results.at(0).url,
              link == 0 ? "first" : "second");
  }
}

TEST(WorkerLinks, LeaveTogetherWhenDraining) {
  Scene scene = two_links(4);
  scene.hand_out({0}, 0);
  scene.hand_out({0}, 1);
  scene.turn();
  scene.core.drain();
  for (const OpenJob& open : scene.opened) {
    Fetched fetched;
    fetched.job = open.job;
    fetched.result.outcome = Outcome::cancelled;
    scene.core.on_fetched(std::move(fetched));
  }
  scene.turn();
  scene.see_reports(1, 0);
  scene.turn();
  EXPECT_FALSE(scene.core.over());
  scene.see_reports(1, 1);
  scene.turn();
  EXPECT_TRUE(scene.core.over());
  for (const std::size_t link : {0U, 1U}) {
    EXPECT_EQ(scene.heard<Bye>(To::producer, link).size(), 1U);
    EXPECT_EQ(scene.heard<Bye>(To::collector, link).size(), 1U);
  }
}

}  // namespace
}  // namespace fetchline
