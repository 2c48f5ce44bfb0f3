#include "producer/text_excerpt.h"

#include <simdjson.h>

#include <algorithm>

namespace fetchline {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

std::size_t sequence_bytes(unsigned char lead) {
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  return lead >= 0xC0 ? 2 : 1;
}

// `text` without a UTF-8 sequence at its end that was cut through.
std::string_view without_half_a_character(std::string_view text) {
  auto lead = text.size();
  while (lead > 0 && text.size() - lead < 3 && is_continuation(byte_at(text, lead - 1))) --lead;
  if (lead == 0) return text;
  --lead;
  const bool is_cut = sequence_bytes(byte_at(text, lead)) > text.size() - lead;
  return is_cut ? text.substr(0, lead) : text;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string utf8;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | (code >> 6));
      utf8 += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return utf8;
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t max_bytes) {
  const auto front = text.substr(0, max_bytes);
  // As long as the limit, it may be the front of something that was cut before.
  const auto whole = text.size() < max_bytes ? front : without_half_a_character(front);
  if (simdjson::validate_utf8(whole.data(), whole.size())) return std::string(whole);
  const auto utf8 = latin1_to_utf8(front);
  return std::string(without_half_a_character(std::string_view(utf8).substr(0, max_bytes)));
}

}  // namespace fetchline
