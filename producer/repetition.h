// Whether a task may be requested more than once. Pure.
#pragma once

#include <cstdint>

#include "proto/task.h"

namespace fetchline {

enum class Repetition : std::uint8_t {
  never,      // it may have had its effect: an origin must not see it twice
  when_lost,  // after the first request is known to have come to nothing, or its worker is gone
  any_time,   // also while another worker runs it
};

// By the method (RFC 9110, 9.2.2), the task's or the job's. The user may say that repeating does no
// harm; at any time are only GET and HEAD without a body.
[[nodiscard]] Repetition repetition_of(const JobSettings& job, const Task& task);

}  // namespace fetchline
