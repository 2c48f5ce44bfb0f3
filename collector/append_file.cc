#include "collector/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace fetchline {
namespace {

// One huge entry's memory is given back instead of kept for the next.
constexpr std::size_t kKeptEntryBytes = std::size_t{4} << 20;

}  // namespace

AppendFile AppendFile::open(std::string path) {
  AppendFile file(std::move(path));
  file.open_file(0);
  struct stat status {};
  if (fstat(file.file_.get(), &status) != 0) throw OutputError(file.path_, errno);
  file.flushed_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

AppendFile AppendFile::unnamed(std::string name, FileDescriptor file) {
  AppendFile made(std::move(name));
  made.file_ = std::move(file);
  return made;
}

FileDescriptor AppendFile::reader() const {
  FileDescriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) throw OutputError(path_, errno);
  return copy;
}

void AppendFile::open_file(int flags) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  file_ = FileDescriptor(::open(path_.c_str(), kFlags | flags, 0666));
  if (!file_.is_open()) throw OutputError(path_, errno);
}

void AppendFile::flush() {
  if (pending_bytes() > 0 && !file_.is_open()) open_file(O_EXCL);
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
  if (pending_.capacity() > kKeptEntryBytes) pending_.shrink_to_fit();
}

void AppendFile::sync() {
  if (fdatasync(file_.get()) != 0) throw OutputError::of_sync(path_, errno);
}

std::string AppendFile::read(std::uint64_t offset, std::size_t length) const {
  // A window of a MiB onto a short file is not worth its zeros.
  length = static_cast<std::size_t>(
      std::min<std::uint64_t>(length, flushed_ - std::min(flushed_, offset)));
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
  if (size == flushed_) return;  // a file system may wait for its disk even then
  if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) throw OutputError(path_, errno);
  flushed_ = size;
}

void AppendFile::remove() {
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) throw OutputError(path_, errno);
}

}  // namespace fetchline
