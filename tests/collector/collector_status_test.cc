// What a collector tells those who watch.
#include "collector/collector_status.h"

#include "collector/collector_view.h"
#include "tests/collector/scene.h"

namespace fetchline {
namespace {

TEST(CollectorStatus, FollowsTheJobFromTheFirstWordToTheLast) {
  Scene scene(100);
  EXPECT_EQ(scene.core.status().phase, "waiting");
  scene.open();
  EXPECT_EQ(scene.core.status().phase, "collecting");
  EXPECT_EQ(scene.core.status().total, std::nullopt);
  scene.says("producer", End{3});
  EXPECT_EQ(scene.core.status().total, 3U);
  scene.results("a", {0, 1, 2});
  (void)scene.take_all();
  EXPECT_EQ(scene.core.status().phase, "complete");
  scene.core.set_done(scene.now);
  EXPECT_EQ(scene.core.status().phase, "done");
}

TEST(CollectorStatus, TellsWhatWaitsFromWhatIsOut) {
  Scene scene(100);
  scene.open();
  scene.results("a", {0, 2, 4}, 1'000);
  scene.results("b", {9}, 1'000);
  (void)scene.take_all();
  const CollectorStatus status = scene.core.status();
  EXPECT_EQ(status.waiting, 3U);
  EXPECT_EQ(status.records, 1U);
  EXPECT_EQ(status.window_end, 10U);
  EXPECT_EQ(status.window, 100U);
  EXPECT_GE(status.waiting_bytes, 3'000U);
  EXPECT_LT(status.waiting_bytes, 3'000U + 4'096U);
  EXPECT_EQ(status.senders, 2U);
  EXPECT_EQ(status.outcomes[static_cast<std::size_t>(Outcome::ok)], 1U);
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
