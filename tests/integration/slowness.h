// Sanitizers make programs slow and large; tests that compare with a time or a size allow for it.
// TEST_SLOWNESS says how much slower the programs of TEST_PROGRAMS are.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace fetchline {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlownessOfThisBuild = 4;
#else
inline constexpr int kSlownessOfThisBuild = 1;
#endif

inline int slowness() {
  const char* const given = std::getenv("TEST_SLOWNESS");
  return given == nullptr ? kSlownessOfThisBuild : std::max(1, std::atoi(given));
}

}  // namespace fetchline
