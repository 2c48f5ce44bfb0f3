#include "collector/journal_format.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

namespace fetchline {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::string_view kMagic = "FLJ1";
constexpr unsigned kKindShift = 56;
constexpr std::size_t kLengthAt = 4, kIndexAt = 8, kTaskHashAt = 16, kSettledAt = 24,
                      kPayloadHashAt = 32, kHeaderHashAt = 40;

std::uint64_t hash_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

template <class Number>
void put(char* at, Number number) {
  std::memcpy(at, &number, sizeof number);
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

bool begins_with_header(std::string_view rest) {
  return rest.size() >= kEntryHeaderBytes && rest.starts_with(kMagic) &&
         number_at<std::uint64_t>(rest, kHeaderHashAt) == hash_of(rest.substr(0, kHeaderHashAt));
}

}  // namespace

void seal_entry(std::string& to, std::size_t begin, const EntryHead& head) {
  char* const header = to.data() + begin;
  const auto payload = std::string_view(to).substr(begin + kEntryHeaderBytes);
  std::memcpy(header, kMagic.data(), kMagic.size());
  put(header + kLengthAt, static_cast<std::uint32_t>(payload.size()));
  put(header + kIndexAt, head.index | static_cast<std::uint64_t>(head.kind) << kKindShift);
  put(header + kTaskHashAt, head.task_hash);
  put(header + kSettledAt, head.settled);
  put(header + kPayloadHashAt, hash_of(payload));
  put(header + kHeaderHashAt, hash_of({header, kHeaderHashAt}));
}

std::optional<JournalEntry> parse_entry(std::string_view rest) {
  if (!begins_with_header(rest)) return std::nullopt;
  const auto length = number_at<std::uint32_t>(rest, kLengthAt);
  JournalEntry entry;
  entry.payload = rest.substr(kEntryHeaderBytes, length);
  if (entry.payload.size() < length) return std::nullopt;
  if (number_at<std::uint64_t>(rest, kPayloadHashAt) != hash_of(entry.payload)) return std::nullopt;
  const auto index_and_kind = number_at<std::uint64_t>(rest, kIndexAt);
  entry.head.kind = static_cast<EntryHead::Kind>(index_and_kind >> kKindShift);
  entry.head.index = index_and_kind & ((std::uint64_t{1} << kKindShift) - 1);
  entry.head.task_hash = number_at<std::uint64_t>(rest, kTaskHashAt);
  entry.head.settled = number_at<std::uint64_t>(rest, kSettledAt);
  return entry;
}

bool was_settled(std::string_view rest, std::uint64_t offset) {
  for (auto at = rest.find(kMagic); at != std::string_view::npos; at = rest.find(kMagic, at + 1)) {
    const std::string_view found = rest.substr(at);
    if (begins_with_header(found) && number_at<std::uint64_t>(found, kSettledAt) > offset)
      return true;
  }
  return false;
}

}  // namespace fetchline
