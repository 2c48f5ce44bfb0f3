#include "proto/json_text.h"

#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "proto/text_block.h"

namespace fetchline {
namespace {

// Text is escaped piece by piece into a buffer on the stack that fits the worst case, so that the
// string it goes to grows once a piece and no byte is checked for room.
constexpr std::size_t kPieceBytes = 512;
constexpr std::size_t kWorstEscapeBytes = 6;  // \u001f

// So that the base64 of a piece has no padding and pieces can be joined.
constexpr std::size_t kBase64PieceBytes = kBase64Group * 1024;

constexpr std::string_view kHexDigits = "0123456789abcdef";

// What follows the backslash; 'u' for \u00XX; 0 for bytes that stand for themselves.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t control = 0; control < 0x20; ++control) escapes[control] = 'u';
  escapes['\b'] = 'b';
  escapes['\t'] = 't';
  escapes['\n'] = 'n';
  escapes['\f'] = 'f';
  escapes['\r'] = 'r';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

char* escape_byte(char byte, char* to) {
  const auto code = static_cast<unsigned char>(byte);
  const char escape = kEscapes[code];
  if (escape == 0) {
    *to++ = byte;
    return to;
  }
  *to++ = '\\';
  *to++ = escape;
  if (escape != 'u') return to;
  *to++ = '0';
  *to++ = '0';
  *to++ = kHexDigits[code >> 4];
  *to++ = kHexDigits[code & 15];
  return to;
}

TextBlock::Mask to_escape(const TextBlock& block) {
  return block.controls() | block.equal('"') | block.equal('\\');
}

TextBlock::Mask not_plain(const TextBlock& block) {
  return to_escape(block) | block.above_ascii() | block.equal('\x7F');
}

// How many of the bytes at the front of `text`, at most TextBlock::kBytes, come before the first
// that `find` finds. All of them are copied to `to`, which has room for a whole block.
template <class Find>
std::size_t copy_block(std::string_view text, char* to, Find find) {
  if (text.size() >= TextBlock::kBytes) {
    std::memcpy(to, text.data(), TextBlock::kBytes);
    return TextBlock::first(find(TextBlock(text.data())));
  }
  std::memset(to, ' ', TextBlock::kBytes);  // is never found
  std::memcpy(to, text.data(), text.size());
  return std::min(text.size(), TextBlock::first(find(TextBlock(to))));
}

// A whole block as long as nothing in it wants an escape, which is nearly always.
char* escape_piece(std::string_view piece, char* to) {
  while (!piece.empty()) {
    const std::size_t clean = copy_block(piece, to, to_escape);
    to += clean;
    piece.remove_prefix(clean);
    if (clean < TextBlock::kBytes && !piece.empty()) {
      to = escape_byte(piece.front(), to);
      piece.remove_prefix(1);
    }
  }
  return to;
}

// Printable ASCII without '"' and '\\'.
bool is_plain(std::string_view text) {
  std::array<char, TextBlock::kBytes> block;
  while (!text.empty()) {
    const std::size_t part = std::min(text.size(), block.size());
    if (copy_block(text, block.data(), not_plain) < part) return false;
    text.remove_prefix(part);
  }
  return true;
}

std::string latin1_to_utf8(std::string_view latin1) {
  std::string utf8;
  utf8.reserve(latin1.size() * 2);
  for (const char byte : latin1) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      utf8 += byte;
    } else {
      utf8 += static_cast<char>(0xC0 | (code >> 6));
      utf8 += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return utf8;
}

template <typename Number>
void append_number(std::string& out, Number number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// `number` with zeros in front, `width` digits in all.
void append_padded(std::string& out, std::uint64_t number, std::size_t width) {
  std::array<char, 24> digits;
  for (std::size_t at = width; at-- > 0; number /= 10) {
    digits[at] = static_cast<char>('0' + number % 10);
  }
  out.append(digits.data(), width);
}

// What a terminal obeys instead of showing it, beside what every JSON string escapes: DEL, the C1
// controls, and the marks that change the direction of writing. 0: none starts here.
unsigned obeyed(std::string_view utf8) {
  const auto byte = [&](std::size_t i) {
    return i < utf8.size() ? static_cast<unsigned char>(utf8[i]) : 0U;
  };
  if (byte(0) == 0x7F) return 0x7F;
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return byte(1);
  if (byte(0) == 0xD8 && byte(1) == 0x9C) return 0x061C;
  if (byte(0) != 0xE2) return 0;
  const unsigned code = 0x2000 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  const bool turns = code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  return turns ? code : 0;
}

// In a JSON string that was appended to `out` from `begin` on.
void escape_obeyed(std::string& out, std::size_t begin) {
  const auto is_suspect = [](char c) {
    return c == '\x7F' || c == '\xC2' || c == '\xD8' || c == '\xE2';
  };
  const auto first =
      std::find_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), is_suspect);
  if (first == out.end()) return;
  const std::string text(first, out.end());
  out.erase(first, out.end());
  for (std::size_t at = 0; at < text.size();) {
    const unsigned code = obeyed(std::string_view(text).substr(at));
    if (code == 0) {
      out += text[at++];
      continue;
    }
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[code >> shift & 15];
    at += code == 0x7F ? 1 : code < 0x800 ? 2 : 3;
  }
}

}  // namespace

bool is_json_on_one_line(std::string_view text) {
  if (text.find_first_of("\r\n") != std::string_view::npos) return false;
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::string to_utf8(std::string_view bytes) {
  return is_utf8(bytes) ? std::string(bytes) : latin1_to_utf8(bytes);
}

void append_json_text(std::string& out, std::string_view bytes) {
  if (is_plain(bytes)) {  // as nearly all is
    out += '"';
    out += bytes;
    out += '"';
    return;
  }
  const std::size_t begin = out.size();
  if (is_utf8(bytes)) {
    append_json_utf8(out, bytes);
  } else {
    append_json_utf8(out, latin1_to_utf8(bytes));
  }
  escape_obeyed(out, begin);
}

void append_json_utf8(std::string& out, std::string_view utf8) {
  out += '"';
  append_json_utf8_part(out, utf8);
  out += '"';
}

void append_json_utf8_part(std::string& out, std::string_view utf8) {
  std::array<char, kPieceBytes * kWorstEscapeBytes + TextBlock::kBytes> escaped;
  while (!utf8.empty()) {
    const auto piece = utf8.substr(0, kPieceBytes);
    out.append(escaped.data(), escape_piece(piece, escaped.data()));
    utf8.remove_prefix(piece.size());
  }
}

void append_json_base64(std::string& out, std::string_view bytes) {
  out += '"';
  append_json_base64_part(out, bytes);
  out += '"';
}

void append_json_base64_part(std::string& out, std::string_view bytes) {
  std::array<unsigned char, kBase64PieceBytes / kBase64Group * 4 + 1> encoded;  // it adds a NUL
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, kBase64PieceBytes);
    const int length =
        EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(piece.data()),
                        static_cast<int>(piece.size()));
    out.append(encoded.data(), encoded.data() + length);
    bytes.remove_prefix(piece.size());
  }
}

void append_json_seconds(std::string& out, std::chrono::microseconds time) {
  constexpr std::uint64_t kMicrosASecond = 1'000'000;
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  append_number(out, micros / kMicrosASecond);
  out += '.';
  const std::size_t decimals = out.size();
  append_padded(out, micros % kMicrosASecond, 6);
  while (out.size() > decimals + 1 && out.back() == '0') out.pop_back();
}

void append_json_utc(std::string& out, std::chrono::milliseconds since_epoch) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLast{253'402'300'799'999};  // 9999-12-31T23:59:59.999Z
  const auto time = std::clamp(since_epoch, milliseconds{0}, kLast);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto part = [&out](char before, std::int64_t number, std::size_t width) {
    out += before;
    append_padded(out, static_cast<std::uint64_t>(number), width);
  };
  part('"', static_cast<int>(date.year()), 4);
  part('-', static_cast<unsigned>(date.month()), 2);
  part('-', static_cast<unsigned>(date.day()), 2);
  part('T', clock.hours().count(), 2);
  part(':', clock.minutes().count(), 2);
  part(':', clock.seconds().count(), 2);
  part('.', clock.subseconds().count(), 3);
  out += "Z\"";
}

void append_json_number(std::string& out, std::uint64_t number) { append_number(out, number); }
void append_json_number(std::string& out, std::int32_t number) { append_number(out, number); }

}  // namespace fetchline
