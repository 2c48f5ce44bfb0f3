#include "collector/output_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <utility>

#include "collector/damaged.h"
#include "collector/manifest.h"

namespace fetchline {
namespace {

// A pipe that polls as ready takes this much without blocking (POSIX). O_NONBLOCK would take more
// at a time, but stdout's flags are shared with the shell and everyone else who has it open.
constexpr std::size_t kStreamWriteBytes = PIPE_BUF;

// A single record may be far larger than the room there normally is; its memory is given back.
constexpr std::size_t kKeptPendingBytes = 4 * OutputFile::kRoomBytes;

// The power went before all of a line came to the disk: there are zeros in it, which no record has.
// What is written between two syncs is far less than this; farther from the end it is damage.
bool is_hole(std::string_view line, std::uint64_t bytes_to_end) {
  constexpr std::uint64_t kMostUnsyncedBytes = std::uint64_t{64} << 20;
  return bytes_to_end <= kMostUnsyncedBytes && line.find('\0') != std::string_view::npos;
}

// Opening a FIFO for reading too would make us the reader that it has to wait for.
bool is_to_be_read(const std::string& path, OutputFile::Existing existing) {
  struct stat status {};
  const bool is_stream = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  return existing == OutputFile::Existing::resume && !is_stream;
}

}  // namespace

OutputFile::OutputFile(std::string path, Existing existing)
    : name_(std::move(path)), fd_(STDOUT_FILENO) {
  if (name_ == "-") {
    name_ = "stdout";
    inspect();
  } else {
    open_path(existing);
  }
}

std::uint64_t OutputFile::recover(const std::function<bool(std::string_view line)>& keep,
                                  const std::vector<OutputSum>& sums) {
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string bytes;  // from accepted_bytes_ on
  bool whole = true;
  while (whole && read_more(bytes)) {
    std::size_t begin = 0;
    for (auto end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n', begin)) {
      const auto line = std::string_view(bytes).substr(begin, end - begin);
      whole = keep(line);
      if (!whole && !is_hole(line, size - accepted_bytes_ - begin))
        throw DamagedError(name_, accepted_bytes_ + begin, "not the record due here");
      if (!whole) break;
      begin = end + 1;
    }
    accept_checked(std::string_view(bytes).substr(0, begin), sums);
    bytes.erase(0, begin);
  }
  cut(accepted_bytes_);
  return size - accepted_bytes_;
}

void OutputFile::accept_checked(std::string_view bytes, const std::vector<OutputSum>& sums) {
  const std::uint64_t end = accepted_bytes_ + bytes.size();
  const auto behind = [](std::uint64_t at, const OutputSum& sum) { return at < sum.bytes; };
  auto sum = std::upper_bound(sums.begin(), sums.end(), accepted_bytes_, behind);
  for (; sum != sums.end() && sum->bytes <= end; ++sum) {
    const std::size_t part = sum->bytes - accepted_bytes_;
    accept(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (sha256() == sum->sha256) continue;
    const std::uint64_t first = sum == sums.begin() ? 0 : std::prev(sum)->bytes;
    throw DamagedError(name_, first, sum->bytes, "its sha256 is not the one that it had");
  }
  accept(bytes);
}

void OutputFile::accept(std::string_view bytes) {
  sha256_.update(bytes);
  accepted_bytes_ += bytes.size();
}

// Up to the end of a line, unless the file ends before. False: it has ended.
bool OutputFile::read_more(std::string& bytes) const {
  while (true) {
    const std::size_t known = bytes.size();
    bytes.resize(known + kRoomBytes);
    const auto at = static_cast<off_t>(accepted_bytes_ + known);
    const auto count = pread(fd_, bytes.data() + known, kRoomBytes, at);
    const int error = errno;
    bytes.resize(known + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && error != EINTR) fail(error);
    if (count == 0) return false;
    if (bytes.find('\n', known) != std::string::npos) return true;
  }
}

void OutputFile::cut(std::uint64_t size) {
  const auto end = static_cast<off_t>(size);
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(errno);
  // To cut off nothing may wait for the disk too.
  if (status.st_size != end && ftruncate(fd_, end) != 0) fail(errno);
  if (lseek(fd_, end, SEEK_SET) < 0) fail(errno);
}

void OutputFile::append(std::string_view bytes) {
  pending_.append(bytes);
  accept(bytes);
}

void OutputFile::flush() {
  while (pending_bytes() > 0 && takes_bytes_now()) {
    const auto count = write_some();
    if (count == 0) break;
    written_ += count;
  }
  forget_written();
}

int OutputFile::blocked_fd() const { return pending_bytes() > 0 && !is_regular() ? fd_ : -1; }

void OutputFile::sync() {
  if (is_regular() && fdatasync(fd_) != 0) throw OutputError::of_sync(name_, errno);
}

void OutputFile::open_path(Existing existing) {
  const int access = is_to_be_read(name_, existing) ? O_RDWR : O_WRONLY;
  const int flags = access | O_CLOEXEC | O_NOCTTY;
  const int exclusive = existing == Existing::refuse ? O_EXCL : 0;
  owned_ = FileDescriptor(open(name_.c_str(), flags | O_CREAT | exclusive, 0666));
  // What exists may be a device or a FIFO. That is asked of the opened file, not of its name,
  // which could be another file's a moment later.
  const bool existed = !owned_.is_open() && errno == EEXIST;
  if (existed) owned_ = FileDescriptor(open(name_.c_str(), flags));
  if (!owned_.is_open()) fail(errno);
  fd_ = owned_.get();
  inspect();
  if (!is_regular()) return;
  if (existed) fail(EEXIST, " (--overwrite replaces it)");
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) throw OutputError::of_lock(name_);
    fail(errno, " (it cannot be locked)");
  }
  if (existing == Existing::resume) return;
  remove_manifest(manifest_path(name_));
  cut(0);
}

void OutputFile::inspect() {
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(errno);
  if (S_ISREG(status.st_mode)) kind_ = Kind::regular;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
}

bool OutputFile::takes_bytes_now() const {
  if (kind_ != Kind::stream) return true;
  pollfd waiting{fd_, POLLOUT, 0};
  // POLLERR and POLLHUP count: the write then says what is wrong.
  return poll(&waiting, 1, 0) > 0;
}

// Bytes written; 0 when the reader has no room.
std::size_t OutputFile::write_some() {
  const char* const from = pending_.data() + written_;
  const auto length = is_regular() ? pending_bytes() : std::min(pending_bytes(), kStreamWriteBytes);
  const auto count = kind_ == Kind::socket ? ::send(fd_, from, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                                           : ::write(fd_, from, length);
  if (count > 0) return static_cast<std::size_t>(count);
  if (count == 0) fail(EIO);  // never for a length above 0; going round again would not end
  if (errno == EINTR) return write_some();
  if (errno == EAGAIN) return 0;  // a shell may have left stdout non-blocking
  fail(errno);
}

void OutputFile::forget_written() {
  if (pending_bytes() == 0) {
    pending_.clear();
    written_ = 0;
    if (pending_.capacity() > kKeptPendingBytes) pending_.shrink_to_fit();
  } else if (written_ >= pending_bytes()) {
    // Only when at least half of it is gone: a byte is moved once on average, however slow the
    // reader is.
    pending_.erase(0, written_);
    written_ = 0;
  }
}

void OutputFile::fail(int error, std::string_view advice) const {
  throw OutputError(name_, error, advice);
}

}  // namespace fetchline
