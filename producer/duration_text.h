// Reads lengths of time as users write them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace fetchline {

// Longer is a mistake (about 11 days); it also keeps milliseconds within 32 bits everywhere.
inline constexpr std::chrono::seconds kLongestDuration{1'000'000};

// Seconds as milliseconds; a little more than nothing becomes 1 ms and not 0, which has a meaning
// of its own. Empty when negative, not a number, or longer than kLongestDuration.
[[nodiscard]] std::optional<std::chrono::milliseconds> duration_of_seconds(double seconds);

// "5", "1.5s", "250ms", "2m", "1h"; seconds without a unit. Empty when it is none of these.
[[nodiscard]] std::optional<std::chrono::milliseconds> duration_of_text(std::string_view text);

}  // namespace fetchline
