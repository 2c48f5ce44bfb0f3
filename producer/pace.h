// How long tasks take lately. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "proto/instant.h"

namespace fetchline {

class Pace {
 public:
  void add(Duration duration) { recent_[count_++ % recent_.size()] = duration; }

  // Zero when nothing is known.
  [[nodiscard]] Duration median() const {
    auto known = recent_;
    const auto end = known.begin() + static_cast<std::ptrdiff_t>(std::min(count_, known.size()));
    const auto middle = known.begin() + (end - known.begin()) / 2;
    std::nth_element(known.begin(), middle, end);
    return count_ == 0 ? Duration::zero() : *middle;
  }

 private:
  std::array<Duration, 127> recent_{};
  std::size_t count_ = 0;
};

}  // namespace fetchline
