#include "collector/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace fetchline {

AppendFile open_scratch_file() {
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error).string();
  if (folder.empty()) folder = "/tmp";
  const std::string name = "--next: a scratch file in " + folder;
  std::string path = folder + "/fetchline-next-XXXXXX";
  FileDescriptor file(mkostemp(path.data(), O_CLOEXEC));
  if (!file.is_open()) throw OutputError(name, errno);
  unlink(path.c_str());
  return AppendFile::unnamed(name, std::move(file));
}

}  // namespace fetchline
