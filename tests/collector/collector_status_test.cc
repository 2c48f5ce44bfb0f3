// What a collector tells those who watch.
#include "collector/collector_status.h"

#include "collector/collector_view.h"
#include "tests/collector/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(CollectorStatus, FollowsTheJobFromTheFirstWordToTheLast) {
  Scene scene(100);
  EXPECT_EQ(scene.core.status(scene.now).phase, "waiting");
  scene.open();
  EXPECT_EQ(scene.core.status(scene.now).phase, "collecting");
  EXPECT_EQ(scene.core.status(scene.now).total, std::nullopt);
  scene.says("producer", End{3});
  EXPECT_EQ(scene.core.status(scene.now).total, 3U);
  scene.results("a", {0, 1, 2});
  (void)scene.take_all();
  EXPECT_EQ(scene.core.status(scene.now).phase, "complete");
  scene.core.set_done(scene.now);
  EXPECT_EQ(scene.core.status(scene.now).phase, "done");
}

TEST(CollectorStatus, TellsWhatWaitsFromWhatIsOut) {
  Scene scene(100);
  scene.open();
  scene.results("a", {0, 2, 4}, 1'000);
  scene.results("b", {9}, 1'000);
  (void)scene.take_all();
  const CollectorStatus status = scene.core.status(scene.now);
  EXPECT_EQ(status.waiting, 3U);
  EXPECT_EQ(status.records, 1U);
  EXPECT_EQ(status.window_end, 10U);
  EXPECT_EQ(status.window, 100U);
  EXPECT_GE(status.waiting_bytes, 3'000U);
  EXPECT_LT(status.waiting_bytes, 3'000U + 4'096U);
  EXPECT_EQ(status.senders, 2U);
  EXPECT_EQ(status.outcomes[static_cast<std::size_t>(Outcome::ok)], 1U);
}

TEST(CollectorStatus, NamesTheHeadAndSinceWhenItIs) {
  Scene scene(100);
  EXPECT_EQ(scene.core.status(scene.now).head, std::nullopt) << "there is no job";
  scene.open();
  scene.turn();
  scene.turn(3s);
  auto head = scene.core.status(scene.now).head.value();
  EXPECT_EQ(head.index, 0U);
  EXPECT_EQ(head.age, 3s);
  EXPECT_FALSE(head.is_here);
  scene.results("a", {0, 2});
  EXPECT_TRUE(scene.core.status(scene.now).head.value().is_here);
  (void)scene.take_all();
  scene.turn(1s);
  scene.turn(2s);
  head = scene.core.status(scene.now).head.value();
  EXPECT_EQ(head.index, 1U);
  EXPECT_EQ(head.age, 2s);
  EXPECT_FALSE(head.is_here);
  scene.says("producer", End{3});
  scene.results("a", {1});
  (void)scene.take_all();
  EXPECT_EQ(scene.core.status(scene.now).head, std::nullopt) << "it is complete";
}

TEST(CollectorView, SaysWhatItWaitsFor) {
  CollectorStatus status;
  status.phase = "collecting";
  status.window = 100;
  status.waiting = 20;
  status.head = {.index = 7, .age = 12'340ms, .is_here = false};
  EXPECT_EQ(why_slow(status), "waiting for the result of task 7 for 12.3 s; 20 wait behind it");
  status.head->is_here = true;
  EXPECT_EQ(why_slow(status), "task 7 waits to be put out");
  status.records = 200;
  status.next_stage = {.wanted_record = 101, .total = {}};
  EXPECT_EQ(why_slow(status), "task 7 waits to be put out");
  status.next_stage->wanted_record = 100;
  EXPECT_EQ(why_slow(status), "waiting until the next stage takes lines");
  Observation seen;
  show(status, seen);
  EXPECT_NE(seen.metrics.text().find("fetchline_collector_next_stage_blocks 1\n"),
            std::string::npos);
  EXPECT_EQ(seen.roles.at("collector").at("head").at("index"), 7);
  EXPECT_EQ(seen.roles.at("collector").at("why_slow"), why_slow(status));
  status.reader_slow = true;
  EXPECT_EQ(why_slow(status), "waiting for who reads the output");
  status.disk_full = true;
  EXPECT_EQ(why_slow(status), "waiting for room on a disk");
  status.missing = {"a producer"};
  EXPECT_EQ(why_slow(status), "waiting for a producer");
  status = {};
  status.phase = "done";
  EXPECT_EQ(why_slow(status), "");
  status.next_stage = {.total = {}};
  status.window = 1;
  EXPECT_EQ(why_slow(status), "complete; waiting until the next stage has finished too");
  status.next_stage->over = true;
  EXPECT_EQ(why_slow(status), "");
}

TEST(CollectorView, ShowsOutcomesThatThereAreAndCountsThemAll) {
  CollectorStatus status;
  status.outcomes[static_cast<std::size_t>(Outcome::timeout)] = 2;
  status.missing = {"a producer"};
  Observation seen;
  show(status, seen);
  EXPECT_EQ(seen.roles.at("collector").at("outcomes").dump(), R"({"timeout":2})");
  EXPECT_EQ(seen.missing, status.missing);
  const std::string metrics = seen.metrics.text();
  EXPECT_NE(metrics.find("fetchline_collector_records_total{outcome=\"timeout\"} 2\n"),
            std::string::npos);
  EXPECT_NE(metrics.find("fetchline_collector_records_total{outcome=\"ok\"} 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace fetchline
