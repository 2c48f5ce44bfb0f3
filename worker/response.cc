#include "worker/response.h"

#include <algorithm>
#include <utility>

namespace fetchline {
namespace {

// An origin may promise more than it sends: no more than this is set aside on its word.
constexpr std::uint64_t kMaxReserveBytes = 1024 * 1024;

constexpr std::size_t kMaxKeptBytes = 1024 * 1024;

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool is_interim_status(std::string_view status_line) {
  const std::size_t space = status_line.find(' ');
  return space != std::string_view::npos && status_line.substr(space + 1).starts_with('1');
}

}  // namespace

void Response::begin(std::uint64_t max_body_bytes) {
  max_body_bytes_ = max_body_bytes;
  stopped_ = StopReason::none;
  expects_ = Expects::status;
  interim_ = body_started_ = false;
  final_answers_ = interim_answers_ = header_lines_ = header_bytes_ = 0;
  header_block_.clear();
  if (body_.capacity() > kMaxKeptBytes) body_ = {};  // an idle handle holds no large buffer
  body_.clear();
}

bool Response::take_header_line(std::string_view line) {
  header_bytes_ += line.size();
  line = without_line_end(line);
  if (expects_ == Expects::status && line.starts_with("HTTP/")) {
    start_answer(line);
  } else if (line.empty()) {
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
  interim_ = is_interim_status(status_line);
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

void Response::expect_body(std::uint64_t bytes) {
  body_.reserve(static_cast<std::size_t>(std::min({bytes, max_body_bytes_, kMaxReserveBytes})));
}

bool Response::take_body(std::string_view piece) {
  body_started_ = true;
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
