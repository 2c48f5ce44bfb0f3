// The output cannot be written: full disk, no permission, the reader is gone. Thrown by what
// writes files in the collector; it becomes one line on stderr and exit code 9, unless the
// collector chooses to wait for room. An fdatasync that failed is for ever, whatever it says: the
// kernel may have dropped what it could not write, and the next one finds nothing wrong.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fetchline {

class OutputError : public std::runtime_error {
 public:
  // "results.ndjson: No space left on device", and after it what the user can do about it.
  OutputError(std::string_view name, int error_number, std::string_view advice = {})
      : std::runtime_error(std::string(name) + ": " +
                           std::generic_category().message(error_number) + std::string(advice)),
        error(error_number) {}

  [[nodiscard]] static OutputError of_sync(std::string_view name, int error_number) {
    OutputError error(name, error_number, " (what was written may be lost; --resume goes on)");
    error.is_for_ever = true;
    return error;
  }

  [[nodiscard]] static OutputError of_lock(std::string_view name) {
    return OutputError(Text{std::string(name) + ": another process is writing it"}, EBUSY);
  }
  // Room may come back: nothing was lost, trying again later is right. Descriptors count: whoever
  // reaches a port may take them all for a while.
  [[nodiscard]] bool is_disk_full() const {
    const bool is_short = error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE;
    return !is_for_ever && is_short;
  }

  int error;  // errno
  bool is_for_ever = false;

 private:
  struct Text {
    std::string text;
  };
  OutputError(const Text& what, int error_number)
      : std::runtime_error(what.text), error(error_number) {}
};

// The same of what is in --output-dir.
class BodyError : public OutputError {
 public:
  using OutputError::OutputError;
  explicit BodyError(OutputError what) : OutputError(std::move(what)) {}
};

}  // namespace fetchline
