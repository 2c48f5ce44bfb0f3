#include "collector/journal_format.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace fetchline {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::uint32_t kMagic = 0x314A4C46;  // "FLJ1"
constexpr unsigned kKindShift = 56;
constexpr std::size_t kHeaderHashAt = 32;

std::uint64_t hash_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

template <class Number>
void put(std::string& to, Number number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

bool is_header(std::string_view header) {
  return number_at<std::uint32_t>(header, 0) == kMagic &&
         number_at<std::uint64_t>(header, kHeaderHashAt) ==
             hash_of(header.substr(0, kHeaderHashAt));
}

bool is_kind(std::uint8_t kind) {
  return kind == static_cast<std::uint8_t>(JournalEntry::Kind::result) ||
         kind == static_cast<std::uint8_t>(JournalEntry::Kind::control);
}

// A file may have grown before its bytes came to the disk: then the power went.
bool is_blank(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == '\0'; });
}

}  // namespace

void append_entry(std::string& to, const JournalEntry& entry) {
  const std::size_t begin = to.size();
  put(to, kMagic);
  put(to, static_cast<std::uint32_t>(entry.payload.size()));
  put(to, entry.index | static_cast<std::uint64_t>(entry.kind) << kKindShift);
  put(to, entry.task_hash);
  put(to, hash_of(entry.payload));
  put(to, hash_of(std::string_view(to).substr(begin, kHeaderHashAt)));
  to += entry.payload;
}

std::variant<JournalEntry, EntryFault> parse_entry(std::string_view rest) {
  if (rest.size() < kEntryHeaderBytes || is_blank(rest)) return EntryFault::torn;
  const std::string_view header = rest.substr(0, kEntryHeaderBytes);
  if (!is_header(header)) return EntryFault::damaged;
  const auto length = number_at<std::uint32_t>(header, 4);
  const std::string_view behind = rest.substr(kEntryHeaderBytes);
  if (behind.size() < length) return EntryFault::torn;
  JournalEntry entry;
  entry.payload = behind.substr(0, length);
  if (number_at<std::uint64_t>(header, 24) != hash_of(entry.payload)) {
    return behind.size() == length ? EntryFault::torn : EntryFault::damaged;
  }
  const auto index_and_kind = number_at<std::uint64_t>(header, 8);
  const auto kind = static_cast<std::uint8_t>(index_and_kind >> kKindShift);
  entry.kind = static_cast<JournalEntry::Kind>(kind);
  entry.index = index_and_kind & ((std::uint64_t{1} << kKindShift) - 1);
  entry.task_hash = number_at<std::uint64_t>(header, 16);
  if (!is_kind(kind) || entry.index >= kMaxIndex) return EntryFault::damaged;
  return entry;
}

}  // namespace fetchline
