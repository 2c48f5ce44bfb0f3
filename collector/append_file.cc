#include "collector/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace fetchline {
namespace {

// One huge entry's memory is given back instead of kept for the next.
constexpr std::size_t kKeptCapacityBytes = std::size_t{4} << 20;

}  // namespace

AppendFile::AppendFile(std::string path, Existing existing) : path_(std::move(path)) {
  const int exclusive = existing == Existing::refuse ? O_EXCL : 0;
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  file_ = FileDescriptor(open(path_.c_str(), kFlags | exclusive, 0666));
  if (!file_.is_open()) throw OutputError(path_, errno);
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) throw OutputError(path_, errno);
  flushed_ = static_cast<std::uint64_t>(status.st_size);
}

std::uint64_t AppendFile::append(std::string_view bytes) {
  const std::uint64_t offset = size();
  pending_ += bytes;
  return offset;
}

void AppendFile::flush() {
  while (pending_bytes() > 0) {
    const auto count = pwrite(file_.get(), pending_.data() + written_, pending_bytes(),
                              static_cast<off_t>(flushed_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw OutputError(path_, count < 0 ? errno : EIO);
    written_ += static_cast<std::size_t>(count);
    flushed_ += static_cast<std::uint64_t>(count);
  }
  pending_.clear();
  written_ = 0;
  if (pending_.capacity() > kKeptCapacityBytes) pending_.shrink_to_fit();
}

void AppendFile::sync() {
  if (fdatasync(file_.get()) != 0) throw OutputError(path_, errno);
}

std::string AppendFile::read(std::uint64_t offset, std::size_t length) const {
  std::string bytes(length, '\0');
  std::size_t got = 0;
  while (got < length) {
    const auto count =
        pread(file_.get(), bytes.data() + got, length - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw OutputError(path_, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

void AppendFile::cut(std::uint64_t size) {
  if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) throw OutputError(path_, errno);
  flushed_ = size;
}

void AppendFile::remove() {
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) throw OutputError(path_, errno);
}

}  // namespace fetchline
