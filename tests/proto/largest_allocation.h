// The largest block that `new` was asked for while this lives. One at a time, one thread.
#pragma once

#include <cstddef>

namespace fetchline {

class LargestAllocation {
 public:
  LargestAllocation();
  ~LargestAllocation();
  LargestAllocation(const LargestAllocation&) = delete;
  LargestAllocation& operator=(const LargestAllocation&) = delete;

  [[nodiscard]] std::size_t bytes() const;
};

}  // namespace fetchline
