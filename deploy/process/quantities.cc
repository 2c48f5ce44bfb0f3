#include "deploy/process/quantities.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace fetchline {
namespace {

using std::chrono::milliseconds;

struct Measured {
  double number = 0;
  std::string unit;  // lower case, what follows the number
};

// std::from_chars alone would also take "inf", "nan" and "1e9", which are typing errors here.
std::optional<Measured> split_unit(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, end);
  Measured measured;
  const char* const last = digits.data() + digits.size();
  const auto [stop, error] =
      std::from_chars(digits.data(), last, measured.number, std::chars_format::fixed);
  if (error != std::errc{} || stop != last) return std::nullopt;
  if (end != std::string_view::npos) measured.unit = text.substr(end);
  std::ranges::transform(measured.unit, measured.unit.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return measured;
}

std::optional<double> bytes_in(std::string_view unit) {
  if (unit.empty() || unit == "b") return 1;
  static constexpr std::string_view kLetters = "kmgt";
  const auto power = kLetters.find(unit.front());
  const std::string_view rest = unit.substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) {
    return std::nullopt;
  }
  return std::ldexp(1.0, 10 * (static_cast<int>(power) + 1));
}

std::optional<double> milliseconds_in(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit.empty() || unit == "s") return 1'000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size_bytes(std::string_view text) {
  // Whole bytes apart: a double holds them exactly only up to 2^53.
  if (const auto bytes = parse_count(text)) return bytes;
  const auto measured = split_unit(text);
  if (!measured) return std::nullopt;
  const auto unit = bytes_in(measured->unit);
  if (!unit) return std::nullopt;
  const double bytes = std::ceil(measured->number * *unit);
  if (bytes >= std::ldexp(1.0, 64)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  static constexpr double kLongest = 3'600'000.0 * 24 * 365 * 100;  // no timer of ours overflows
  const auto measured = split_unit(text);
  if (!measured) return std::nullopt;
  const auto unit = milliseconds_in(measured->unit);
  if (!unit || measured->number * *unit > kLongest) return std::nullopt;
  // 1.1 s is a little more than 1100 ms in binary; that little is not worth a millisecond.
  const double exact = measured->number * *unit;
  return milliseconds(static_cast<std::int64_t>(std::ceil(exact - exact * 1e-12)));
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const char* const last = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), last, count);
  if (error != std::errc{} || stop != last) return std::nullopt;
  return count;
}

std::optional<double> parse_number(std::string_view text) {
  const auto measured = split_unit(text);
  if (!measured || !measured->unit.empty()) return std::nullopt;
  return measured->number;
}

std::string format_duration(milliseconds duration) {
  const auto ms = std::max<std::int64_t>(duration.count(), 0);
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (ms < 9'950) return fmt::format("{:.1f}s", static_cast<double>(ms) / 1'000);
  const std::int64_t seconds = (ms + 500) / 1'000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3'600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3'600, seconds % 3'600 / 60);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string size_as_flag(std::uint64_t bytes) {
  static constexpr std::string_view kLetters = "KMGT";
  std::string letter;
  for (const char next : kLetters) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    letter = next;
  }
  return std::to_string(bytes) + letter;
}

std::string duration_as_flag(milliseconds duration) {
  const auto ms = duration.count();
  if (ms % 1'000 == 0) return std::to_string(ms / 1'000);
  if (ms < 1'000) return fmt::format("{}ms", ms);
  return fmt::format("{}", static_cast<double>(ms) / 1'000);
}

}  // namespace fetchline
