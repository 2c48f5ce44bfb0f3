// RFC 3339 in UTC with milliseconds: "2026-01-01T00:00:00.000Z". Pure; safe on any thread.
#pragma once

#include <chrono>
#include <string>

namespace fetchline {

[[nodiscard]] std::string timestamp(std::chrono::system_clock::time_point time);

}  // namespace fetchline
