#include "producer/line_reader.h"

#include <algorithm>

namespace fetchline {
namespace {

// Above this the memory of one huge line is given back.
constexpr std::size_t kKeptBufferBytes = std::size_t{4} << 20;

std::size_t most_bytes(std::string_view line) {
  return line.starts_with(LineReader::kRecordBeginning) ? LineReader::kMaxRecordBytes
                                                        : LineReader::kMaxLineBytes;
}

}  // namespace

void LineReader::feed(std::string_view bytes) {
  if (skipping_) {
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    skipping_ = false;
  }
  // What is left of the last feed is less than one line, so this moves little.
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < kKeptBufferBytes / 2 && buffer_.capacity() > kKeptBufferBytes) {
    buffer_.shrink_to_fit();
  }
  buffer_.append(bytes);
}

std::optional<Line> LineReader::next() {
  const auto end = buffer_.find('\n', scanned_);
  if (end != std::string::npos) return take(end - begin_, end - begin_ + 1);
  scanned_ = buffer_.size();
  return take_unfinished();
}

std::optional<Line> LineReader::take(std::size_t length, std::size_t with_its_end) {
  auto text = std::string_view(buffer_).substr(begin_, length);
  begin_ += with_its_end;
  scanned_ = begin_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  const bool too_long = text.size() > most_bytes(text);
  return Line{too_long ? text.substr(0, kPrefixBytes) : text, too_long, ++taken_};
}

std::optional<Line> LineReader::take_unfinished() {
  const auto length = buffer_.size() - begin_;
  if (finished_ && length > 0) return take(length, length);
  // One more than the limit may yet turn out to be a CR before an LF.
  if (length <= most_bytes(std::string_view(buffer_).substr(begin_)) + 1) return std::nullopt;
  skipping_ = true;
  return take(length, length);
}

}  // namespace fetchline
