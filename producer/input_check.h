// Reads the whole input without fetching: what --dry-run says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/emit_rule.h"

namespace fetchline {

struct InputCheck {
  static constexpr std::size_t kShownFaults = 10;
  std::uint64_t tasks = 0;   // that could be fetched
  std::uint64_t faulty = 0;  // lines that would come out as invalid_task
  // The first of them, "line 3: no scheme", and a line that says how many more there are.
  std::vector<std::string> faults;
};

// Blocks until the input ends. Throws InputError.
[[nodiscard]] InputCheck check_input(const std::vector<std::string>& urls, const std::string& path,
                                     const EmitRule& rule = {});

}  // namespace fetchline
