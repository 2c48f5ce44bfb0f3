// Metrics as Prometheus reads them (text format 0.0.4), gathered anew for each scrape. Owned by
// whoever gathers, on any thread.
//
// Names are fetchline_<role>_<noun>_<unit>, counters end in _total; labels have few values each.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fetchline {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The unit of all times that are shown.
[[nodiscard]] constexpr double in_seconds(std::chrono::duration<double> duration) {
  return duration.count();
}

class Metrics {
 public:
  // Of the same name with other labels: one after the other.
  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value,
               const Labels& labels = {}) {
    add(name, help, prometheus::MetricType::Counter, labels).counter.value =
        static_cast<double>(value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value,
             const Labels& labels = {}) {
    add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = static_cast<double>(value);
  }
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
