#include "collector/directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "collector/output_error.h"
#include "proto/file_descriptor.h"

namespace fetchline {

void sync_directory(const std::string& directory) {
  const FileDescriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) throw OutputError(directory, errno);
  if (fsync(opened.get()) != 0 && errno != EINVAL) throw OutputError::of_sync(directory, errno);
}

void sync_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  sync_directory(parent.empty() ? "." : parent);
}

}  // namespace fetchline
