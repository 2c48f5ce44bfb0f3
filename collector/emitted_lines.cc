#include "collector/emitted_lines.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "collector/damaged.h"
#include "collector/existing_output.h"
#include "collector/output_error.h"
#include "proto/codec.h"

namespace fetchline {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
// Above this the memory of one huge record is given back instead of kept for the next.
constexpr std::size_t kKeptCapacityBytes = 4 * kBlockBytes;

}  // namespace

std::vector<std::string> EmittedLines::next() {
  const std::string_view line = next_line();
  const std::uint64_t at = offset_ + begin_;
  auto record = reader_.read_emitted(line);
  if (!record || record->index != index_) {
    throw DamagedError(file_.name, at, "not the record due here");
  }
  if (!record->lines && record->outcome == Outcome::ok) {
    throw ResumeMismatch("--next: " + file_.name + " was begun without it or --emit: record " +
                         std::to_string(index_) + " does not say what it emits");
  }
  ++index_;
  begin_ += line.size() + 1;
  std::vector<std::string> lines = std::move(record->lines).value_or(std::vector<std::string>());
  for (std::string& text : lines) {
    if (text.find('\n') != std::string::npos)
      throw DamagedError(file_.name, at, "emits half a line");
    if (text.size() > kMaxLineBytesOnWire) text.resize(kMaxLineBytesOnWire);
  }
  return lines;
}

std::string_view EmittedLines::next_line() {
  for (std::size_t searched = begin_;;) {
    const auto end = bytes_.find('\n', searched);
    if (end != std::string::npos) return std::string_view(bytes_).substr(begin_, end - begin_);
    searched = bytes_.size() - begin_;  // where the rest will stand
    read_block();
  }
}

void EmittedLines::read_block() {
  bytes_.erase(0, begin_);
  offset_ += std::exchange(begin_, 0);
  if (bytes_.empty() && bytes_.capacity() > kKeptCapacityBytes) bytes_ = std::string();
  const std::size_t known = bytes_.size();
  bytes_.resize(known + kBlockBytes);
  ssize_t count = 0;
  do {
    count = pread(file_.file.get(), bytes_.data() + known, kBlockBytes,
                  static_cast<off_t>(offset_ + known));
  } while (count < 0 && errno == EINTR);
  const int error = errno;
  bytes_.resize(known + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) throw OutputError(file_.name, error);
  if (count == 0) throw DamagedError(file_.name, offset_ + known, "ends within a record");
}

void EmittedLines::rewind() {
  bytes_.clear();
  begin_ = 0;
  offset_ = 0;
  index_ = 0;
}

}  // namespace fetchline
