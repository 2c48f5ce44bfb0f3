#include "worker/response.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proto/ascii.h"

namespace fetchline {
namespace {

// An origin may promise more than it sends: no more than this is set aside on its word.
constexpr std::uint64_t kMaxReserveBytes = 1024 * 1024;

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

std::string_view status_of(std::string_view status_line) {
  return status_line.substr(std::min(status_line.find(' ') + 1, status_line.size()));
}

// RFC 9112, 6.3: the end of a connection can end a body, unless the version or the status says
// otherwise. "304" has the length that a 200 would have had, if any, and no body either.
bool may_end_with_connection(std::string_view status_line) {
  const std::string_view status = status_of(status_line);
  return status_line.starts_with("HTTP/1") && !status.starts_with("204") &&
         !status.starts_with("304");
}

// Calls `with` for each part between separators, white space around it left out.
template <class With>
void for_each_part(std::string_view text, std::string_view separator, With with) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + separator.size(), text.size()));
    with(trimmed(part));
  }
}

}  // namespace

void Response::begin(std::uint64_t max_body_bytes, bool decodes) {
  release();
  max_body_bytes_ = max_body_bytes;
  decodes_ = decodes;
  stopped_ = StopReason::none;
  expects_ = Expects::status;
  interim_ = ends_with_connection_ = body_started_ = false;
  final_answers_ = interim_answers_ = header_lines_ = header_bytes_ = 0;
}

void Response::release() {
  header_block_ = {};
  body_ = {};
  decoder_.reset();
}

bool Response::take_header_line(std::string_view line) {
  header_bytes_ += line.size();
  line = without_line_end(line);
  if (expects_ == Expects::status && line.starts_with("HTTP/")) {
    start_answer(line);
  } else if (line.empty()) {
    if (expects_ == Expects::headers && !interim_) read_headers();
    expects_ = Expects::status;
  } else {
    ++header_lines_;
    // Lines after the blank one are trailers: counted, since they are a way to flood, not kept.
    if (expects_ == Expects::headers && !interim_) keep_header(line);
  }
  if (header_lines_ > kMaxHeaderLines) stopped_ = StopReason::header_lines;
  if (header_bytes_ > kMaxHeaderBytes) stopped_ = StopReason::header_bytes;
  if (interim_answers_ > kMaxInterimResponses) stopped_ = StopReason::interim_cap;
  return stopped_ == StopReason::none;
}

void Response::start_answer(std::string_view status_line) {
  expects_ = Expects::headers;
  interim_ = status_of(status_line).starts_with('1');
  ends_with_connection_ = !interim_ && may_end_with_connection(status_line);
  if (interim_) {
    ++interim_answers_;
  } else {
    ++final_answers_;
    interim_answers_ = 0;
  }
  header_lines_ = 0;
  header_bytes_ = status_line.size();
  header_block_.clear();
  body_.clear();
  body_started_ = false;
  length_.reset();
  coding_ = Coding::identity;
  coded_bytes_ = 0;
  decoder_.reset();
}

void Response::keep_header(std::string_view line) {
  const bool folded = line.front() == ' ' || line.front() == '\t';
  if (folded && !header_block_.empty()) {
    header_block_.resize(header_block_.size() - 2);  // RFC 9112, 5.2: a fold counts as a space
    header_block_ += ' ';
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  }
  header_block_ += line;
  header_block_ += "\r\n";
}

void Response::read_headers() {
  for_each_part(header_block_, "\r\n", [this](std::string_view line) {
    const std::string_view name = line.substr(0, line.find(':'));
    const std::string_view value = line.substr(std::min(name.size() + 1, line.size()));
    if (equals_lower(name, "content-length")) {
      for_each_part(value, ",", [this](std::string_view length) { note_length(length); });
    } else if (equals_lower(name, "transfer-encoding")) {
      for_each_part(value, ",", [this](std::string_view coding) { check_transfer(coding); });
    } else if (decodes_ && equals_lower(name, "content-encoding")) {
      for_each_part(value, ",", [this](std::string_view coding) { note_coding(coding); });
    }
  });
}

// RFC 9112, 6.3: lengths that differ are an attack or a fault, and which of the bytes are the
// answer is anybody's guess. libcurl takes the last.
void Response::note_length(std::string_view digits) {
  std::uint64_t length = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, length);
  const bool is_number = error == std::errc() && parsed == end;
  if (!is_number || length_.value_or(length) != length) stopped_ = StopReason::unclear_length;
  length_ = length;
  ends_with_connection_ = false;
}

// RFC 9112, 7.4: any other than this has to be asked for, and was not.
void Response::check_transfer(std::string_view coding) {
  if (equals_lower(coding, "chunked")) ends_with_connection_ = false;
  if (!equals_lower(coding, "chunked") && coding_of(coding) != Coding::identity) {
    stopped_ = StopReason::unknown_coding;
  }
}

// One at most: nobody needs several, and bombs multiply with them.
void Response::note_coding(std::string_view name) {
  const Coding coding = coding_of(name);
  if (coding == Coding::identity) return;
  coding_ = coding_ == Coding::identity ? coding : Coding::unknown;
}

void Response::expect_body(std::uint64_t bytes) {
  body_.reserve(static_cast<std::size_t>(std::min({bytes, max_body_bytes_, kMaxReserveBytes})));
}

bool Response::take_body(std::string_view piece) {
  body_started_ = true;
  if (stopped_ != StopReason::none) return false;
  return is_coded() ? take_coded(piece) : keep_body(piece);
}

bool Response::take_coded(std::string_view piece) {
  if (coding_ == Coding::unknown) {
    stopped_ = StopReason::unknown_coding;
    return false;
  }
  if (!decoder_) decoder_ = std::make_unique<Decoder>(coding_);
  coded_bytes_ += piece.size();
  decoder_->give(piece);
  while (true) {
    const auto decoded = decoder_->next();
    if (!decoded) {
      stopped_ = StopReason::broken_coding;
      return false;
    }
    if (decoded->empty()) return true;
    const std::uint64_t bytes = body_.size() + decoded->size();
    if (bytes > kMaxBombBytes && bytes / kMaxBombRatio > coded_bytes_) {
      stopped_ = bytes > max_body_bytes_ ? StopReason::body_cap : StopReason::bomb;
      body_ = {};
      decoder_.reset();
      return false;
    }
    if (!keep_body(*decoded)) return false;
  }
}

bool Response::keep_body(std::string_view piece) {
  if (piece.size() > max_body_bytes_ - body_.size()) {
    stopped_ = StopReason::body_cap;
    body_ = {};
    return false;
  }
  body_ += piece;
  return true;
}

std::string Response::take_header_block() { return std::exchange(header_block_, {}); }

std::string Response::take_body() { return std::exchange(body_, {}); }

}  // namespace fetchline
