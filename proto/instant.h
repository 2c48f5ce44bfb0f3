// A moment on this machine's monotonic clock. Read once a loop turn and handed to the pure cores;
// never compared across machines, never used for safety, only for when to try again.
#pragma once

#include <chrono>

namespace fetchline {

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace fetchline
