// Metrics as Prometheus reads them (text format 0.0.4), gathered anew for each scrape. Owned by
// whoever gathers, on any thread.
//
// Names are fetchline_<role>_<noun>_<unit>, counters end in _total; labels have few values each.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fetchline {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  // Of the same name with other labels: one after the other.
  void counter(std::string_view name, std::string_view help, double value,
               const Labels& labels = {});
  void gauge(std::string_view name, std::string_view help, double value, const Labels& labels = {});
  // `counts` has one more than `bounds`: what was above all of them.
  void histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum);

  [[nodiscard]] std::string text() const;

 private:
  prometheus::ClientMetric& add(std::string_view name, std::string_view help,
                                prometheus::MetricType type, const Labels& labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace fetchline
