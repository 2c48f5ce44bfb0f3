// When a failed attempt is made again. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace fetchline {

struct RetryPolicy {
  std::uint32_t retries = 2;                     // attempts after the first
  std::chrono::milliseconds delay{1'000};        // before the second attempt, then doubling
  std::chrono::milliseconds max_delay{600'000};  // no wait is longer, whatever an origin asks for
};

// The wait after attempt number `failed` (from 1). The doubled delay is spread by up to a quarter
// either way, so that a thousand failures do not come back as one; what an origin asks for
// (Retry-After, RFC 9110 10.2.3) is a lower bound, spread upwards only.
template <class Random>
[[nodiscard]] std::chrono::milliseconds retry_wait(
    const RetryPolicy& policy, std::uint32_t failed,
    std::optional<std::chrono::milliseconds> retry_after, Random& random) {
  using std::chrono::milliseconds;
  auto wait = policy.delay;
  for (std::uint32_t i = 1; i < failed && wait < policy.max_delay && wait.count() > 0; ++i)
    wait *= 2;
  const auto spread = [&random](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  auto chosen = milliseconds(static_cast<std::int64_t>(
      static_cast<double>(std::min(wait, policy.max_delay).count()) * spread(0.75, 1.25)));
  if (retry_after) {
    const auto asked = static_cast<double>(std::min(*retry_after, policy.max_delay).count());
    chosen = std::max(chosen, milliseconds(static_cast<std::int64_t>(asked * spread(1.0, 1.1))));
  }
  return std::min(chosen, policy.max_delay);
}

}  // namespace fetchline
