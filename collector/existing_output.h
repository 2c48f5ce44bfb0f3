// What stands already where an output is to go, looked at before anything of it is opened or
// changed: what `--resume` would go on with, and what must not be touched. Any thread.
#pragma once

#include <stdexcept>
#include <string>

#include "collector/collector_options.h"

namespace fetchline {

// "results.ndjson" has its journal in "results.ndjson.spill".
[[nodiscard]] std::string spill_path(const std::string& output_path);

// A job is gone on with as it was begun. what() names the flag that says otherwise: exit code 2.
struct ResumeMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class ExistingOutput : std::uint8_t { none, begun, complete };

// Reads a complete output from end to end. Throws OutputError when it is not to be touched as
// `options` stand, DamagedError when it is complete and not what its manifest says, ResumeMismatch.
ExistingOutput check_existing_output(const CollectorOptions& options);

}  // namespace fetchline
