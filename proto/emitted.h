// What a result gives to the next stage: lines as an input file could hold them. A value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

// Of a line of input that is a task.
inline constexpr std::size_t kMaxTaskLineBytes = std::size_t{64} * 1024;
// Of all lines together, with their newlines; who would emit more emits nothing, and says why.
inline constexpr std::size_t kMaxEmitBytes = std::size_t{16} << 20;

// "16 MiB": how limits are told.
[[nodiscard]] inline std::string mib_text(std::size_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

struct Emitted {
  std::string lines;  // UTF-8, each with a newline at its end
  std::string error;  // why there are none; empty: the rule could be applied

  bool operator==(const Emitted&) const = default;
};

// Takes the next line off the front of `text`, without its newline, which the last need not have;
// empty when there is none left.
[[nodiscard]] inline std::optional<std::string_view> take_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
  return line;
}

}  // namespace fetchline
