// --fail-on: how many failed tasks make a failed job. Pure; safe on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "deploy/process/exit_code.h"

namespace fetchline {

struct FailNever {};
struct FailAtCount {
  std::uint64_t failed = 1;  // at least so many; 1 is "any"
};
struct FailAtPercent {
  double percent = 0;  // of all tasks, at least; above 0, at most 100
};
using FailOn = std::variant<FailAtCount, FailAtPercent, FailNever>;  // any, unless told otherwise

// "any", "never", "N" or "P%". Empty for anything else, also for 0, which would fail every job.
[[nodiscard]] std::optional<FailOn> parse_fail_on(std::string_view text);

// `total` counts every task of the job. ok, some_failed, or none_succeeded.
[[nodiscard]] ExitCode decide(const FailOn& rule, std::uint64_t ok, std::uint64_t failed,
                              std::uint64_t total);

}  // namespace fetchline
