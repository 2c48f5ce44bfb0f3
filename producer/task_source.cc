#include "producer/task_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace fetchline {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

[[noreturn]] void fail(const std::string& name, int error) {
  throw InputError(name + ": " + std::generic_category().message(error));
}

}  // namespace

TaskSource::TaskSource(std::vector<std::string> urls, const std::string& path, EmitRule rule)
    : urls_(std::move(urls)),
      name_(path == "-" ? "stdin" : path),
      parser_(std::move(rule)),
      block_(kBlockBytes) {
  if (path.empty()) {
    read_to_end_ = true;
    return;
  }
  fd_ = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) fail(name_, errno);
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(name_, errno);
  if (S_ISDIR(status.st_mode)) fail(name_, EISDIR);
  is_regular_ = S_ISREG(status.st_mode);
  if (is_regular_) file_bytes_ = static_cast<std::uint64_t>(status.st_size);
}

TaskSource::TaskSource(Fed /*tag*/, EmitRule rule) : is_fed_(true), parser_(std::move(rule)) {}

TaskSource::~TaskSource() {
  if (fd_ > STDIN_FILENO) close(fd_);
}

std::optional<ParsedLine> TaskSource::next(Index index) {
  while (const std::optional<Line> line = next_line()) {
    ParsedLine parsed = parser_.parse(*line, index);
    if (auto* record = std::get_if<RecordLines>(&parsed)) {
      record_ = std::move(record->lines);
      record_left_ = record_;
      line_number_ = line->number;
      emitted_ = 0;
    } else if (!std::holds_alternative<Skip>(parsed)) {
      return parsed;
    }
  }
  ended_ = read_to_end_;
  return std::nullopt;
}

// Of a record, of the arguments, of the input.
std::optional<Line> TaskSource::next_line() {
  if (const auto text = take_line(record_left_)) {
    return Line{.text = *text,
                .too_long = text->size() > LineReader::kMaxLineBytes,
                .number = line_number_,
                .emitted = ++emitted_,
                .is_emitted = true};
  }
  if (next_url_ == urls_.size()) {
    auto line = lines_.next();
    if (line) line->is_emitted = is_fed_;
    return line;
  }
  const std::string& url = urls_[next_url_++];
  return Line{.text = url, .too_long = false, .number = next_url_};
}

std::optional<std::uint64_t> TaskSource::tasks_expected(std::uint64_t taken) const {
  if (ended_) return taken;
  const std::uint64_t taken_bytes = read_bytes_ - lines_.held_bytes();
  if (!is_regular_ || taken_bytes == 0 || taken_bytes > file_bytes_) return std::nullopt;
  const double share = static_cast<double>(taken_bytes) / static_cast<double>(file_bytes_);
  return static_cast<std::uint64_t>(static_cast<double>(taken) / share);
}

void TaskSource::feed(std::string_view text) { lines_.feed(text); }

void TaskSource::finish() {
  lines_.finish();
  read_to_end_ = true;
}

bool TaskSource::read_block() {
  if (read_to_end_ || fd_ < 0) return false;
  if (!is_regular_) {
    pollfd item{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&item, 1, 0) <= 0) return false;
  }
  const ssize_t got = read(fd_, block_.data(), block_.size());
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return false;
    fail(name_, errno);
  }
  if (got == 0) {
    lines_.finish();
    read_to_end_ = true;
  } else {
    read_bytes_ += static_cast<std::uint64_t>(got);
    lines_.feed({block_.data(), static_cast<std::size_t>(got)});
  }
  return true;
}

}  // namespace fetchline
