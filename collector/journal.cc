#include "collector/journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

#include "collector/directory.h"
#include "proto/codec.h"

namespace fetchline {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::size_t kSegmentDigits = 8;
constexpr std::size_t kReadBytes = std::size_t{1} << 20;

std::string name_of(std::uint32_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, kSegmentDigits - std::min(kSegmentDigits, digits.size()), '0');
  return std::string(kSegmentPrefix) + digits;
}

std::optional<std::uint32_t> number_of(const std::string& name) {
  if (!name.starts_with(kSegmentPrefix)) return std::nullopt;
  std::uint32_t number = 0;
  std::from_chars(name.data() + kSegmentPrefix.size(), name.data() + name.size(), number);
  if (number == 0 || name != name_of(number)) return std::nullopt;
  return number;
}

std::vector<std::uint32_t> segment_numbers(const std::string& directory) {
  std::vector<std::uint32_t> numbers;
  std::error_code error;
  std::filesystem::directory_iterator file(directory, error);
  for (; !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    if (const auto number = number_of(file->path().filename().string())) numbers.push_back(*number);
  }
  if (error) throw OutputError(directory, error.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

Journal::Journal(std::string directory, Durability durability, std::uint64_t segment_bytes)
    : directory_(std::move(directory)), durability_(durability), segment_bytes_(segment_bytes) {
  if (mkdir(directory_.c_str(), 0777) != 0 && errno != EEXIST) throw OutputError(directory_, errno);
}

std::string Journal::path_of(std::uint32_t number) const {
  return directory_ + "/" + name_of(number);
}

Journal::Recovered Journal::recover(Index end) {
  Recovered recovered;
  const auto numbers = segment_numbers(directory_);
  for (const std::uint32_t number : numbers) {
    last_number_ = number;
    recover_segment(number, number == numbers.back(), recovered);
  }
  for (const auto& [index, hash, place] : recovered.results) {
    if (index < end) continue;
    throw DamagedError(path_of(place.segment), place.offset - kEntryHeaderBytes,
                       "no result of task " + std::to_string(index) + " can be here");
  }
  if (recovered.control) control_ = *recovered.control;
  if (!numbers.empty() && recovered.cut_bytes == 0) go_on_with_last();
  if (durability_ == Durability::power) {
    sync_directory(directory_);
    sync_directory_of(directory_);
  }
  return recovered;
}

// Restarts without progress must not leave a segment each.
void Journal::go_on_with_last() {
  const Segment& last = segments_.at(last_number_);
  if (!last.has_control) return;
  segment_open_ = true;
  committed_bytes_ = last.file.size();
  control_number_ = last_number_;
}

std::optional<JobControl> Journal::first_control(const std::string& directory) {
  for (const std::uint32_t number : segment_numbers(directory)) {
    std::ifstream file(directory + "/" + name_of(number), std::ios::binary);
    std::string front(kReadBytes, '\0');
    file.read(front.data(), static_cast<std::streamsize>(front.size()));
    front.resize(static_cast<std::size_t>(file.gcount()));
    const auto entry = parse_entry(front);
    if (!entry || entry->head.kind != EntryHead::Kind::control) continue;
    if (auto control = job_control_of(entry->payload)) return control;
  }
  return std::nullopt;
}

void Journal::recover_segment(std::uint32_t number, bool is_last, Recovered& to) {
  Segment segment{AppendFile::open(path_of(number))};
  AppendFile& file = segment.file;
  const std::string rest = recover_entries(number, segment, to);
  if (!rest.empty()) {
    const std::uint64_t at = file.size() - rest.size();
    // Only the last entries of all can have been under way when the process died.
    if (!is_last || was_settled(rest, at)) {
      throw DamagedError(file.path(), at, "not a whole entry of the journal");
    }
    to.cut_bytes += rest.size();
    file.cut(at);
  }
  // The process before this one may have died between its write and its fdatasync. What is
  // recovered is told to be safe.
  if (!rest.empty() || durability_ == Durability::power) file.sync();
  segments_.emplace(number, std::move(segment));
}

// What is left behind the last whole entry. No more is read at a time than the largest entry asks
// for.
std::string Journal::recover_entries(std::uint32_t number, Segment& segment, Recovered& to) {
  const AppendFile& file = segment.file;
  std::uint64_t at = 0;
  for (std::size_t window = kReadBytes;;) {
    std::string bytes = file.read(at, window);
    const bool is_rest = bytes.size() < window;
    std::size_t begin = 0;
    while (const auto entry = parse_entry(std::string_view(bytes).substr(begin))) {
      const std::uint64_t offset = at + begin;
      const EntryHead& head = entry->head;
      if (head.kind == EntryHead::Kind::control) {
        to.control = job_control_of(entry->payload);
        if (!to.control) throw DamagedError(file.path(), offset, "unknown control entry");
        segment.has_control = true;
      } else if (head.kind == EntryHead::Kind::result && head.index < kMaxIndex) {
        const auto length = static_cast<std::uint32_t>(entry->payload.size());
        to.results.push_back(
            {head.index, head.task_hash, {offset + kEntryHeaderBytes, number, length}});
        segment.end = std::max(segment.end, head.index + 1);
      } else {
        throw DamagedError(file.path(), offset, "an entry of another version");
      }
      begin += entry->bytes();
    }
    at += begin;
    if (is_rest) return bytes.substr(begin);
    if (begin == 0) window *= 2;
  }
}

// Where to append: to a new segment when the last has had its share, or something was cut off it:
// nothing is ever written behind a cut. What is committed together is in one segment.
AppendFile& Journal::end_file() {
  const bool has_room = segment_open_ && (has_uncommitted() ||
                                          segments_.at(last_number_).file.size() < segment_bytes_);
  if (has_room) return segments_.at(last_number_).file;
  ++last_number_;
  segment_open_ = true;
  directory_changed_ = true;
  committed_bytes_ = 0;
  segments_.emplace(last_number_, Segment{AppendFile::create(path_of(last_number_))});
  if (!control_.job.is_none()) append(control_);
  return segments_.at(last_number_).file;
}

EntryHead Journal::head(EntryHead::Kind kind, const AppendFile& file) const {
  const bool in_order = durability_ == Durability::process;
  return {.kind = kind, .settled = in_order ? file.size() : committed_bytes_};
}

JournalPlace Journal::append(const Result& result) {
  AppendFile& file = end_file();
  Segment& segment = segments_.at(last_number_);
  segment.end = std::max(segment.end, result.index + 1);
  EntryHead entry = head(EntryHead::Kind::result, file);
  entry.index = result.index;
  entry.task_hash = result.task_hash;
  const std::uint64_t offset = file.size() + kEntryHeaderBytes;
  append_entry(file.tail(), entry, [&](std::string& to) { append_stored(to, result); });
  return {offset, last_number_, static_cast<std::uint32_t>(file.size() - offset)};
}

void Journal::append(const JobControl& control) {
  control_ = control;
  AppendFile& file = end_file();
  append_entry(file.tail(), head(EntryHead::Kind::control, file),
               [&](std::string& to) { to += to_json(control); });
}

bool Journal::has_uncommitted() const {
  return segment_open_ && segments_.at(last_number_).file.pending_bytes() > 0;
}

void Journal::commit() {
  if (!has_uncommitted()) return;
  AppendFile& file = segments_.at(last_number_).file;
  file.flush();
  if (durability_ == Durability::power) file.sync();
  if (durability_ == Durability::power && directory_changed_) sync_directory(directory_);
  directory_changed_ = false;
  committed_bytes_ = file.size();
  control_number_ = last_number_;
}

Result Journal::read(const JournalPlace& place) const {
  const auto segment = segments_.find(place.segment);
  if (segment == segments_.end()) throw std::logic_error("a segment was dropped too early");
  const AppendFile& file = segment->second.file;
  const std::string bytes =
      file.read(place.offset - kEntryHeaderBytes, kEntryHeaderBytes + place.length);
  const auto entry = parse_entry(bytes);
  auto result = entry ? decode_stored(entry->payload) : std::nullopt;
  if (!result) {
    throw DamagedError(file.path(), place.offset - kEntryHeaderBytes, "not what was written");
  }
  return std::move(*result);
}

// The newest one with a committed control stays, and what may come behind it.
void Journal::drop_below(Index watermark) try {
  for (auto at = segments_.begin(); at != segments_.end() && at->first < control_number_;) {
    if (at->second.end > watermark) {
      ++at;
      continue;
    }
    at->second.file.remove();
    at = segments_.erase(at);
  }
} catch (const OutputError& error) {
  if (!error.is_disk_full()) throw;  // some file systems need room to remove a file: another time
}

std::uint64_t Journal::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment.file.size();
  return bytes;
}

}  // namespace fetchline
