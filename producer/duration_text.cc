#include "producer/duration_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace fetchline {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 5> kUnits = {Unit{"", 1}, Unit{"s", 1}, Unit{"ms", 0.001}, Unit{"m", 60},
                                        Unit{"h", 3600}};

}  // namespace

std::optional<std::chrono::milliseconds> duration_of_seconds(double seconds) {
  constexpr auto kLongest = static_cast<double>(kLongestDuration.count());
  // Written so that a NaN fails it.
  if (!(seconds >= 0 && seconds <= kLongest)) return std::nullopt;
  const auto millis = std::chrono::milliseconds(std::llround(seconds * 1000));
  return millis.count() == 0 && seconds > 0 ? std::chrono::milliseconds(1) : millis;
}

std::optional<std::chrono::milliseconds> duration_of_text(std::string_view text) {
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
  for (const auto& unit : kUnits) {
    if (unit.name == unit_name) return duration_of_seconds(number * unit.seconds);
  }
  return std::nullopt;
}

}  // namespace fetchline
