// Sizes and durations as people write and read them. Pure; safe on any thread.
//
// Read: "256M", "1.5g", "64KiB", "4096" (bytes) and "10" (seconds), "1.5", "250ms", "3m", "1h".
// K, M and G are powers of 1024, as curl has them, in every spelling (K, KB, KiB, any case).
// What cannot be read, is negative or does not fit comes back as an empty optional.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

[[nodiscard]] std::optional<std::uint64_t> parse_size_bytes(std::string_view text);

// Rounded up to a whole millisecond, so that something never becomes 0, which often means "none".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// A plain number without sign or unit: whole, or with a fraction.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);
[[nodiscard]] std::optional<double> parse_number(std::string_view text);

// For people: "2m03s", "12,345".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);
[[nodiscard]] std::string format_count(std::uint64_t count);

// As a flag takes it, for --help and messages: "256M", "1.5", "250ms". They parse back to the same.
[[nodiscard]] std::string size_as_flag(std::uint64_t bytes);
[[nodiscard]] std::string duration_as_flag(std::chrono::milliseconds duration);

}  // namespace fetchline
