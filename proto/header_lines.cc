#include "proto/header_lines.h"

#include "proto/ascii.h"

namespace fetchline {
namespace {

// Length of the line at the front, its end included.
std::size_t line_length(std::string_view block) {
  const auto end = block.find('\n');
  return end == std::string_view::npos ? block.size() : end + 1;
}

bool continues(std::string_view block) {
  return !block.empty() && (block.front() == ' ' || block.front() == '\t');
}

// The line at the front and those that continue it.
std::string_view take_folded_line(std::string_view& block) {
  auto length = line_length(block);
  while (continues(block.substr(length))) length += line_length(block.substr(length));
  const auto line = block.substr(0, length);
  block.remove_prefix(length);
  return line;
}

HeaderField split(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {line, {}};
  return {trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))};
}

}  // namespace

std::optional<HeaderField> take_header_field(std::string_view& block) {
  while (!block.empty()) {
    const auto line = trimmed(take_folded_line(block));
    if (!line.empty()) return split(line);
  }
  return std::nullopt;
}

std::string unfolded(std::string_view value) {
  std::string text;
  while (!value.empty()) {
    const auto line = value.substr(0, line_length(value));
    value.remove_prefix(line.size());
    const auto words = trimmed(line);
    if (words.empty()) continue;
    if (!text.empty()) text += ' ';
    text += words;
  }
  return text;
}

}  // namespace fetchline
