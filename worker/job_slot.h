// A job as one worker's threads know it.
#pragma once

#include <cstdint>

namespace fetchline {

// Given by the relay, unique in this process.
enum class JobSlot : std::uint32_t {};

}  // namespace fetchline
