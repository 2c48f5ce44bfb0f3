#include "deploy/process/printable.h"

#include <spdlog/fmt/fmt.h>

#include <cstddef>

namespace fetchline {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Length of the UTF-8 sequence at `at`, 0 when there is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned second = byte_at(text, at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool not_text = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || not_text ? 0 : length;
}

bool is_control(unsigned byte) { return byte < 0x20 || byte == 0x7F; }

// U+0080..U+009F (0xC2 0x80..0x9F) are control characters too, one of them begins an escape.
bool is_c1_at(std::string_view text, std::size_t at, std::size_t length) {
  return length == 2 && byte_at(text, at) == 0xC2 && byte_at(text, at + 1) < 0xA0;
}

// What shows text in another order than it has, or on another line (UAX #9, 2; UAX #14): 0 when the
// sequence of three bytes at most is none of these.
unsigned reordering_at(std::string_view text, std::size_t at, std::size_t length) {
  if (length != 2 && length != 3) return 0;
  unsigned code = byte_at(text, at) & (length == 2 ? 0x1FU : 0x0FU);
  for (std::size_t i = 1; i < length; ++i) code = code << 6U | (byte_at(text, at + i) & 0x3FU);
  const bool is_mark = code == 0x061C || code == 0x200E || code == 0x200F;
  const bool is_embedding = 0x2028 <= code && code <= 0x202E;  // with both separators of lines
  const bool is_isolate = 0x2066 <= code && code <= 0x2069;
  return is_mark || is_embedding || is_isolate ? code : 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const unsigned byte = byte_at(text, at);
    const std::size_t length = sequence_length(text, at);
    const bool is_c1 = is_c1_at(text, at, length);
    if (byte == '\n') {
      shown += "\\n";
    } else if (is_control(byte) || length == 0) {
      shown += fmt::format("\\x{:02x}", byte);
    } else if (is_c1) {
      shown += fmt::format("\\x{:02x}", byte_at(text, at + 1));
    } else if (const unsigned code = reordering_at(text, at, length)) {
      shown += fmt::format("\\u{:04x}", code);
    } else {
      shown += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return shown;
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const char c = text[at];
    if (length == 0) {
      json += kReplacement;
    } else if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (is_control(byte_at(text, at))) {
      json += fmt::format("\\u{:04x}", byte_at(text, at));
    } else if (is_c1_at(text, at, length)) {
      json += fmt::format("\\u{:04x}", byte_at(text, at + 1));
    } else if (const unsigned code = reordering_at(text, at, length)) {
      json += fmt::format("\\u{:04x}", code);
    } else {
      json += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return json += '"';
}

}  // namespace fetchline
