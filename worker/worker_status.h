// How a worker stands, as it tells whoever watches: a value, made by the relay.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/result.h"

namespace fetchline {

// How long transfers took, in classes: `counts[i]` took at most kBounds[i], the last one longer.
struct Durations {
  static constexpr std::array<std::chrono::milliseconds, 12> kBounds{
      std::chrono::milliseconds(5),      std::chrono::milliseconds(10),
      std::chrono::milliseconds(25),     std::chrono::milliseconds(50),
      std::chrono::milliseconds(100),    std::chrono::milliseconds(250),
      std::chrono::milliseconds(500),    std::chrono::milliseconds(1'000),
      std::chrono::milliseconds(2'500),  std::chrono::milliseconds(5'000),
      std::chrono::milliseconds(10'000), std::chrono::milliseconds(60'000)};

  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  std::chrono::microseconds sum{0};

  void add(std::chrono::microseconds duration) {
    std::size_t at = 0;
    while (at < kBounds.size() && duration > kBounds[at]) ++at;
    ++counts[at];
    sum += duration;
  }
};

struct WorkerStatus {
  std::string name;  // "host:pid"
  std::uint32_t slots = 0;
  std::uint64_t running = 0;     // transfers, and the commands of those that ended
  std::uint64_t paused = 0;      // transfers that wait for memory for their bodies
  std::uint64_t queued = 0;      // tasks that wait for a slot
  std::uint64_t held_bytes = 0;  // of results that the collector has not acknowledged
  OutcomeCounts outcomes{};      // of transfers that ended, retries too
  std::uint64_t received_bytes = 0;
  Durations durations;  // of all of them
  std::uint64_t dropped_messages = 0;
  struct Commands {
    std::uint64_t running = 0;
    std::chrono::nanoseconds oldest{0};  // for how long it has run
  };
  std::optional<Commands> commands;  // with --emit exec:
  bool draining = false;
  std::vector<std::string> missing;  // peers without whom nothing goes on
};

}  // namespace fetchline
