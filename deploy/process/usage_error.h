// What is wrong with how a program was called: exit code 2, one line on stderr.
#pragma once

#include <stdexcept>
#include <string>

namespace fetchline {

class UsageError : public std::runtime_error {
 public:
  // subject: what to look at: "--window", "FETCHLINE_WINDOW" or "fetchline.toml: window".
  UsageError(const std::string& subject, const std::string& reason)
      : std::runtime_error(subject + ": " + reason) {}
};

}  // namespace fetchline
