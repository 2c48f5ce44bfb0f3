#include "deploy/process/metrics.h"

#include <prometheus/text_serializer.h>

#include <limits>

namespace fetchline {

prometheus::ClientMetric& Metrics::add(std::string_view name, std::string_view help,
                                       prometheus::MetricType type, const Labels& labels) {
  if (families_.empty() || families_.back().name != name) {
    auto& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }
  auto& metric = families_.back().metric.emplace_back();
  for (const auto& [label, value] : labels) metric.label.push_back({label, value});
  return metric;
}

void Metrics::histogram(std::string_view name, std::string_view help,
                        std::span<const double> bounds, std::span<const std::uint64_t> counts,
                        double sum) {
  auto& histogram = add(name, help, prometheus::MetricType::Histogram, {}).histogram;
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    up_to += counts[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({up_to, bound});
  }
  histogram.sample_count = up_to;
  histogram.sample_sum = sum;
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(families_); }

}  // namespace fetchline
