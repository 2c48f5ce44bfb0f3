// A file with the given text, for as long as this lives.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fetchline {

class ScratchFile {
 public:
  explicit ScratchFile(std::string_view text) : path_("/tmp/fetchline-test-XXXXXX") {
    const int fd = mkstemp(path_.data());
    const bool whole =
        fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) close(fd);
    if (!whole) throw std::runtime_error("cannot write " + path_);
  }
  ~ScratchFile() { unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace fetchline
