#include "deploy/process/metrics.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

TEST(Metrics, AreNamedOnceHoweverManyLabelsTheyHave) {
  Metrics metrics;
  metrics.counter("a_total", "Of a.", 1, {{"kind", "x"}});
  metrics.counter("a_total", "Of a.", 2.5, {{"kind", "y"}});
  metrics.gauge("b", "Of b.", 0);
  EXPECT_EQ(metrics.text(),
            "# HELP a_total Of a.\n# TYPE a_total counter\na_total{kind=\"x\"} 1\n"
            "a_total{kind=\"y\"} 2.5\n# HELP b Of b.\n# TYPE b gauge\nb 0\n");
}

TEST(Metrics, AreExactToTheLastTask) {
  Metrics metrics;
  metrics.counter("a_total", "Of a.", 1'099'511'627'775);
  EXPECT_NE(metrics.text().find("a_total 1099511627775\n"), std::string::npos) << metrics.text();
}

TEST(Metrics, EscapeWhatStandsInALabel) {
  Metrics metrics;
  metrics.gauge("b", "Of b.", 1, {{"name", "a\"b\\c\nd"}});
  EXPECT_NE(metrics.text().find("b{name=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos)
      << metrics.text();
}

TEST(Metrics, CountInAHistogramWhatIsUpToABound) {
  Metrics metrics;
  const std::vector<double> bounds{0.5, 1};
  const std::vector<std::uint64_t> counts{3, 0, 2};
  metrics.histogram("t_seconds", "Of t.", bounds, counts, 4.25);
  const std::string text = metrics.text();
  for (const char* line :
       {"t_seconds_bucket{le=\"0.5\"} 3\n", "t_seconds_bucket{le=\"1\"} 3\n",
        "t_seconds_bucket{le=\"+Inf\"} 5\n", "t_seconds_count 5\n", "t_seconds_sum 4.25\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace fetchline
