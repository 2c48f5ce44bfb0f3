#include "collector/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "collector/directory.h"
#include "collector/output_error.h"
#include "proto/file_descriptor.h"

namespace fetchline {
namespace {

void write_synced(const std::string& path, std::string_view bytes) {
  // O_TRUNC: a temporary left by a crash is written over. O_NOFOLLOW: nobody may aim it elsewhere.
  const FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.is_open()) throw OutputError(path, errno);
  if (const int error = write_all(file.get(), bytes)) throw OutputError(path, error);
  if (fdatasync(file.get()) != 0) throw OutputError(path, errno);
}

void replace_durably(const std::string& path, const std::string& temporary) {
  if (rename(temporary.c_str(), path.c_str()) != 0) throw OutputError(path, errno);
  sync_directory_of(path);
}

}  // namespace

std::string temporary_path(const std::string& path) { return path + ".tmp"; }

void write_durable_file(const std::string& path, std::string_view bytes) {
  const auto temporary = temporary_path(path);
  try {
    write_synced(temporary, bytes);
    replace_durably(path, temporary);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace fetchline
