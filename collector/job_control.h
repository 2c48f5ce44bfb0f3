// The few facts about a job that must survive its collector, beside its results.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proto/ids.h"

namespace fetchline {

// How and when the output was begun; the same until it is complete.
struct Beginning {
  std::string format{};      // as --format names it; empty: not known
  std::string output_dir{};  // as UTF-8 (json_text.h); empty: bodies are in the output
  std::string emit{};        // as --emit says it, as UTF-8; empty: nothing goes on
  // Whether records have bodies and response headers; empty: not known.
  std::optional<bool> body{};
  std::optional<bool> headers{};
  std::chrono::milliseconds started_at{};  // since 1970; 0: not known
  bool operator==(const Beginning&) const = default;
};

struct JobControl {
  JobId job;
  std::uint64_t log = 0;                    // names the durable log that this stands in
  std::map<std::uint64_t, Epoch> epochs{};  // by the nonce of the producer each was granted to
  std::optional<Index> total{};             // of the input, once it has ended
  // Tasks that must not be requested twice may have been handed out below this index; and below
  // that one when the newest epoch was granted, by the producers before it.
  Index begun_below = 0;
  Index begun_before = 0;
  Beginning beginning{};

  bool operator==(const JobControl&) const = default;
};

// One line of JSON, so that people can read it too.
[[nodiscard]] std::string to_json(const JobControl& control);
// Empty when it is none. Never throws.
[[nodiscard]] std::optional<JobControl> job_control_of(std::string_view json);

}  // namespace fetchline
