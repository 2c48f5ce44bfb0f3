// What was written once and is not what it was: an output or a journal that must not be gone on
// with. One line on stderr that names file and offset, and exit code 12.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace fetchline {

class DamagedError : public std::runtime_error {
 public:
  DamagedError(const std::string& path, const std::string& what)
      : std::runtime_error(path + ": damaged: " + what) {}
  // Somewhere from `first` on and before `end`.
  DamagedError(const std::string& path, std::uint64_t first, std::uint64_t end,
               const std::string& what)
      : std::runtime_error(path + ": damaged between byte " + std::to_string(first) + " and " +
                           std::to_string(end) + ": " + what) {}
  DamagedError(const std::string& path, std::uint64_t offset, const std::string& what)
      : std::runtime_error(path + ": damaged at byte " + std::to_string(offset) + ": " + what) {}
};

}  // namespace fetchline
