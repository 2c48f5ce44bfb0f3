#include "collector/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "collector/directory.h"
#include "proto/codec.h"

namespace fetchline {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::size_t kDigits = 8;

std::optional<std::uint32_t> number_of(const std::string& name) {
  if (!name.starts_with(kSegmentPrefix)) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + kSegmentPrefix.size(), end, number);
  if (error != std::errc{} || at != end || number == 0) return std::nullopt;
  return number;
}

std::vector<std::uint32_t> segment_numbers(const std::string& directory) {
  std::vector<std::uint32_t> numbers;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (const auto number = number_of(file.path().filename().string())) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

Journal::Journal(std::string directory, Durability durability, std::uint64_t segment_bytes)
    : directory_(std::move(directory)), durability_(durability), segment_bytes_(segment_bytes) {
  if (mkdir(directory_.c_str(), 0777) != 0 && errno != EEXIST) throw OutputError(directory_, errno);
}

std::string Journal::path_of(std::uint32_t number) const {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return directory_ + "/" + std::string(kSegmentPrefix) + digits;
}

Journal::Recovered Journal::recover() {
  Recovered recovered;
  const auto numbers = segment_numbers(directory_);
  for (const std::uint32_t number : numbers) {
    last_number_ = number;
    recover_segment(number, number == numbers.back(), recovered);
  }
  if (recovered.control) control_ = *recovered.control;
  return recovered;
}

void Journal::recover_segment(std::uint32_t number, bool is_last, Recovered& to) {
  Segment segment{AppendFile(path_of(number), AppendFile::Existing::open), 0};
  const std::string bytes = segment.file.read(0, segment.file.size());
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto parsed = parse_entry(std::string_view(bytes).substr(at));
    if (const auto* fault = std::get_if<EntryFault>(&parsed)) {
      // Only the last entry of all can have been under way when the process died.
      const bool torn = *fault == EntryFault::torn && is_last;
      if (!torn) throw DamagedError(segment.file.path(), at, "not a whole entry of the journal");
      to.cut_bytes += bytes.size() - at;
      segment.file.cut(at);
      segment.file.sync();
      break;
    }
    const auto& entry = std::get<JournalEntry>(parsed);
    if (entry.kind == JournalEntry::Kind::control) {
      to.control = job_control_of(entry.payload);
      if (!to.control) throw DamagedError(segment.file.path(), at, "unknown control entry");
    } else {
      const auto length = static_cast<std::uint32_t>(entry.payload.size());
      to.results.push_back(
          {entry.index, entry.task_hash, {at + kEntryHeaderBytes, number, length}});
      segment.end = std::max(segment.end, entry.index + 1);
    }
    at += entry.bytes();
  }
  segments_.emplace(number, std::move(segment));
}

JournalPlace Journal::append(const Result& result) {
  Segment& segment = segments_.at(last_number_);
  std::string payload;
  append_stored(payload, result);
  entry_.clear();
  append_entry(entry_, {.kind = JournalEntry::Kind::result,
                        .index = result.index,
                        .task_hash = result.task_hash,
                        .payload = payload});
  segment.end = std::max(segment.end, result.index + 1);
  const std::uint64_t at = segment.file.append(entry_);
  return {at + kEntryHeaderBytes, last_number_, static_cast<std::uint32_t>(payload.size())};
}

void Journal::append(const JobControl& control) {
  control_ = control;
  const std::string payload = to_json(control);
  entry_.clear();
  append_entry(entry_, {.kind = JournalEntry::Kind::control, .payload = payload});
  segments_.at(last_number_).file.append(entry_);
}

// A new segment when the last has had its share, or is a dead process's: nothing is ever written
// behind a cut.
void Journal::make_ready() {
  if (segment_open_ &&
      (has_uncommitted() || segments_.at(last_number_).file.size() < segment_bytes_))
    return;
  const std::uint32_t number = last_number_ + 1;
  Segment segment{AppendFile(path_of(number), AppendFile::Existing::open), 0};
  segment.file.cut(0);  // of a commit that failed
  if (!control_.job.is_none()) {
    entry_.clear();
    const std::string payload = to_json(control_);
    append_entry(entry_, {.kind = JournalEntry::Kind::control, .payload = payload});
    segment.file.append(entry_);
  }
  last_number_ = number;
  segment_open_ = true;
  directory_changed_ = true;
  segments_.emplace(number, std::move(segment));
}

bool Journal::has_uncommitted() const {
  return segment_open_ && segments_.at(last_number_).file.pending_bytes() > 0;
}

void Journal::commit() {
  if (!has_uncommitted()) return;
  AppendFile& file = segments_.at(last_number_).file;
  file.flush();
  if (durability_ != Durability::power) return;
  file.sync();
  if (!directory_changed_) return;
  sync_directory(directory_);
  sync_directory_of(directory_);
  directory_changed_ = false;
}

Result Journal::read(const JournalPlace& place) const {
  const auto segment = segments_.find(place.segment);
  if (segment == segments_.end()) throw std::logic_error("a segment was dropped too early");
  const AppendFile& file = segment->second.file;
  const std::string bytes =
      file.read(place.offset - kEntryHeaderBytes, kEntryHeaderBytes + place.length);
  const auto parsed = parse_entry(bytes);
  const auto* entry = std::get_if<JournalEntry>(&parsed);
  auto result = entry != nullptr ? decode_stored(entry->payload) : std::nullopt;
  if (!result) {
    throw DamagedError(file.path(), place.offset - kEntryHeaderBytes, "not what was written");
  }
  return std::move(*result);
}

// The last one stays: it has the control, once that is committed.
void Journal::drop_below(Index watermark) {
  if (!segment_open_ || has_uncommitted()) return;
  for (auto at = segments_.begin(); at != segments_.end() && at->first != last_number_;) {
    if (at->second.end > watermark) {
      ++at;
      continue;
    }
    at->second.file.remove();
    at = segments_.erase(at);
  }
}

void Journal::remove() {
  for (auto& [number, segment] : segments_) segment.file.remove();
  segments_.clear();
  segment_open_ = false;
  if (rmdir(directory_.c_str()) != 0 && errno != ENOENT) throw OutputError(directory_, errno);
}

std::uint64_t Journal::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment.file.size();
  return bytes;
}

}  // namespace fetchline
