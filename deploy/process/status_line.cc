#include "deploy/process/status_line.h"

#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>

namespace fetchline {
namespace {

constexpr std::string_view kBackToStart = "\r\x1b[K";  // and erase to the end of the line

struct Stderr {
  std::mutex mutex;
  std::string status;  // guarded by mutex; what the terminal's last line shows, empty: nothing
};

Stderr& the_stderr() {
  static Stderr one;
  return one;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_stderr(std::string_view text) {
  Stderr& err = the_stderr();
  const std::lock_guard lock(err.mutex);
  if (err.status.empty()) return write_all(text);
  write_all(std::string(kBackToStart).append(text).append(err.status));
}

void show_status(std::string_view text) {
  Stderr& err = the_stderr();
  const std::lock_guard lock(err.mutex);
  err.status = text;
  write_all(std::string(kBackToStart).append(text));
}

void end_status() {
  Stderr& err = the_stderr();
  const std::lock_guard lock(err.mutex);
  if (!err.status.empty()) write_all("\n");
  err.status.clear();
}

}  // namespace fetchline
