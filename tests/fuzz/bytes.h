// The input of a fuzz target, taken apart from its front; and what a target says when something
// does not hold. When the bytes are used up every number is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proto/ids.h"

namespace fetchline::fuzz {

// Stays on whatever the build: it is what the target is for.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  [[nodiscard]] std::string_view take_all() { return take(rest_.size()); }
  // With its length, of one byte, before it.
  [[nodiscard]] std::string_view text() { return take(byte()); }

  [[nodiscard]] std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  [[nodiscard]] std::uint8_t below(std::uint8_t limit) {
    return static_cast<std::uint8_t>(byte() % limit);
  }
  [[nodiscard]] bool flip() { return (byte() & 1U) != 0; }
  [[nodiscard]] std::uint64_t number(std::size_t bytes = 8) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }

 private:
  std::string_view rest_;
};

inline JobId job_number(std::uint8_t number) {
  JobId job;
  job.bytes.fill(number);
  return job;
}

}  // namespace fetchline::fuzz
