// How long poll() may wait. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace fetchline {

// In milliseconds, until `due` or a little longer; never below zero, which poll() takes for ever.
// With nothing due it is -1: for ever.
[[nodiscard]] inline int poll_timeout(std::optional<std::chrono::steady_clock::time_point> due,
                                      std::chrono::steady_clock::time_point now) {
  if (!due) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

}  // namespace fetchline
