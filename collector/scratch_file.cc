#include "collector/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "collector/output_error.h"

namespace fetchline {

ScratchFile::ScratchFile() {
  std::error_code error;
  const std::string folder = std::filesystem::temp_directory_path(error).string();
  name_ = "--next: a scratch file in " + (folder.empty() ? "/tmp" : folder);
  std::string path = (folder.empty() ? "/tmp" : folder) + "/fetchline-next-XXXXXX";
  file_ = FileDescriptor(mkostemp(path.data(), O_CLOEXEC));
  if (!file_.is_open()) throw OutputError(name_, errno);
  unlink(path.c_str());
}

void ScratchFile::flush() {
  while (!tail_.empty()) {
    const auto count = pwrite(file_.get(), tail_.data(), tail_.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw OutputError(name_, count < 0 ? errno : EIO);
    tail_.erase(0, static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
}

FileDescriptor ScratchFile::reader() const {
  FileDescriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) throw OutputError(name_, errno);
  return copy;
}

}  // namespace fetchline
