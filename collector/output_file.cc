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
#include <utility>
#include <vector>

#include "collector/damaged.h"
#include "collector/manifest.h"

namespace fetchline {
namespace {

// A pipe that polls as ready takes this much without blocking (POSIX). O_NONBLOCK would take more
// at a time, but stdout's flags are shared with the shell and everyone else who has it open.
constexpr std::size_t kStreamWriteBytes = PIPE_BUF;

// A single record may be far larger than the room there normally is; its memory is given back.
constexpr std::size_t kKeptCapacityBytes = 4 * OutputFile::kRoomBytes;

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

void OutputFile::recover(const std::function<bool(std::string_view line)>& keep) {
  std::string bytes;  // from accepted_bytes_ on
  std::vector<char> block(kRoomBytes);
  while (true) {
    const auto at = static_cast<off_t>(accepted_bytes_ + bytes.size());
    const auto count = pread(fd_, block.data(), block.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno);
    if (count == 0) break;
    const std::size_t known = bytes.size();
    bytes.append(block.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (auto end = bytes.find('\n', known); end != std::string::npos;
         end = bytes.find('\n', begin)) {
      const auto line = std::string_view(bytes).substr(begin, end - begin);
      if (!keep(line))
        throw DamagedError(name_, accepted_bytes_ + begin, "not the record due here");
      begin = end + 1;
    }
    sha256_.update(std::string_view(bytes).substr(0, begin));
    accepted_bytes_ += begin;
    bytes.erase(0, begin);
  }
  cut(accepted_bytes_);
}

void OutputFile::cut(std::uint64_t size) {
  const auto end = static_cast<off_t>(size);
  if (ftruncate(fd_, end) != 0 || lseek(fd_, end, SEEK_SET) < 0) fail(errno);
}

void OutputFile::append(std::string_view bytes) {
  pending_.append(bytes);
  sha256_.update(bytes);
  accepted_bytes_ += bytes.size();
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
  if (is_regular() && fdatasync(fd_) != 0) fail(errno);
}

void OutputFile::open_path(Existing existing) {
  const int access = existing == Existing::resume ? O_RDWR : O_WRONLY;
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
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) fail(errno, " (another process is writing it)");
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
  const auto count = kind_ == Kind::socket ? send(fd_, from, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                                           : write(fd_, from, length);
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
    if (pending_.capacity() > kKeptCapacityBytes) pending_.shrink_to_fit();
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
