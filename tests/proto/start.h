// When tests of what has a clock begin: not at 0, which a clock without a time would show too.
#pragma once

#include "proto/instant.h"

namespace fetchline {

inline const Instant kStart = Instant(std::chrono::seconds(1000));

}  // namespace fetchline
