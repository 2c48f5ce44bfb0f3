// Cuts a stream of bytes into lines in bounded memory. Pure. Owned by the producer's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/emitted.h"

namespace fetchline {

struct Line {
  std::string_view text;      // without LF or CRLF; the first kPrefixBytes of it when too_long
  bool too_long = false;      // longer than a line like it may be
  std::uint64_t number = 0;   // from 1
  std::uint64_t emitted = 0;  // which of the lines that the record in this line emits; 0: itself
  bool is_emitted = false;    // by a record, here or in the stage before
};

// After each feed() call next() until it has none. Holds what was fed and not yet taken, and of an
// unfinished line at most what it may be long: what goes past that is thrown away as it comes.
class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = kMaxTaskLineBytes;
  // The output of an earlier stage is input too, and a record as long as its body and headers: the
  // largest body that is fetched unless --max-filesize allows more, in base64, and more than that.
  static constexpr std::string_view kRecordBeginning = R"({"index":)";
  static constexpr std::size_t kMaxRecordBytes = std::size_t{256} << 20;
  static constexpr std::size_t kPrefixBytes = 2 * 1024;

  void feed(std::string_view bytes);
  void finish() { finished_ = true; }  // a last line needs no newline

  // The next line; its text is good until the next feed(). A line that is too long is reported as
  // soon as that is known, once.
  [[nodiscard]] std::optional<Line> next();
  [[nodiscard]] std::size_t held_bytes() const { return buffer_.size() - begin_; }

 private:
  [[nodiscard]] std::optional<Line> take(std::size_t length, std::size_t with_its_end);
  [[nodiscard]] std::optional<Line> take_unfinished();

  std::string buffer_;
  std::size_t begin_ = 0;    // of the first line not taken
  std::size_t scanned_ = 0;  // no newline in [begin_, scanned_)
  bool skipping_ = false;    // in a line that was reported as too long
  bool finished_ = false;
  std::uint64_t taken_ = 0;
};

}  // namespace fetchline
