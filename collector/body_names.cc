#include "collector/body_names.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "proto/json_text.h"

namespace fetchline {
namespace {

constexpr std::size_t kIndexDigits = 10;
constexpr std::size_t kMostSegmentBytes = 100, kMostWishBytes = 200;  // of the 255 there may be

std::string with_index(Index index, std::string_view name) {
  std::string text = std::to_string(index);
  text.insert(0, kIndexDigits - std::min(kIndexDigits, text.size()), '0');
  return text.append("-").append(name);
}

// The number in front of what may have been made by with_index().
std::optional<Index> index_in(std::string_view name) {
  const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
  if (digits < kIndexDigits || digits == name.size() || name[digits] != '-') return std::nullopt;
  Index index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + digits, index);
  if (error != std::errc{}) return std::nullopt;  // no index is so large
  return index;
}

std::string_view last_segment(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  const auto slash = url.rfind('/');
  return slash == url.npos ? std::string_view() : url.substr(slash + 1);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// A dot hides the file or is a directory; a dash makes it an option of the next command.
void tame_front(std::string& name) {
  if (name.front() == '.' || name.front() == '-') name.front() = '_';
}

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

// U+0080 to U+009F, in two bytes: terminals obey them.
void replace_upper_controls(std::string& utf8) {
  for (auto at = utf8.find('\xc2'); at != utf8.npos; at = utf8.find('\xc2', at + 1)) {
    const auto next = static_cast<unsigned char>(utf8[at + 1]);
    if (next < 0xa0) utf8[at] = utf8[at + 1] = '_';
  }
}

// ".html"; empty when what follows the last dot is too long for one.
std::string extension_of(const std::string& name) {
  constexpr std::size_t kMostBytes = 16;
  const auto dot = name.rfind('.');
  return dot == name.npos || name.size() - dot > kMostBytes ? "" : name.substr(dot);
}

// In front of its extension.
void shorten_utf8(std::string& name, std::size_t most_bytes) {
  if (name.size() <= most_bytes) return;
  const std::string extension = extension_of(name);
  std::size_t end = most_bytes - extension.size();
  while ((static_cast<unsigned char>(name[end]) & 0xc0U) == 0x80U) --end;
  name.resize(end);
  name += extension;
}

}  // namespace

std::string name_after_url(Index index, std::string_view url) {
  std::string segment(last_segment(url));
  if (segment.empty()) return with_index(index, "index");
  std::ranges::replace_if(
      segment, [](char c) { return !is_plain(c); }, '_');
  shorten_utf8(segment, kMostSegmentBytes);
  tame_front(segment);
  return with_index(index, segment);
}

std::string name_after_wish(std::string_view wish) {
  std::string name(wish);
  const bool utf8 = is_utf8(name);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || is_control(byte) || (byte > 127 && !utf8)) c = '_';
  }
  if (utf8) replace_upper_controls(name);
  shorten_utf8(name, kMostWishBytes);
  tame_front(name);
  return name;
}

std::string BodyNames::choose(Index index, std::string_view url, std::string_view wish) const {
  std::string name = wish.empty() ? name_after_url(index, url) : name_after_wish(wish);
  // Ends: no wish is so long as this would become.
  while (!is_free(index, name)) name = with_index(index, name);
  return name;
}

// An index in front that is not ours is an earlier record's, or a later one's that will find the
// name taken.
bool BodyNames::is_free(Index index, std::string_view name) const {
  const auto named = index_in(name);
  return (!named || *named >= index) && !taken_.contains(hash_of(name));
}

void BodyNames::add(Index index, std::string_view name) {
  if (index_in(name) != index) taken_.insert(hash_of(name));
}

std::uint64_t BodyNames::hash_of(std::string_view name) {
  return XXH3_64bits(name.data(), name.size());
}

}  // namespace fetchline
