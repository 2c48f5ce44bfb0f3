// The worker's flags. How hard it works is shared with `fetchline`.
#pragma once

#include <string>
#include <vector>

#include "deploy/process/flags.h"
#include "worker/worker.h"

namespace fetchline {

// Flags that need a second look once all are known.
struct WorkerFleetFlags {
  std::vector<std::string> producers, collectors;  // pairs, in order; empty: the defaults
  std::chrono::milliseconds connect_timeout{0}, max_time{0};  // 0: as the job says
  std::uint64_t max_filesize_bytes = 0;

  // Puts them into `options`. Throws UsageError.
  void apply_to(WorkerOptions& options) const;
};

void add_reach_flags(CLI::App& app, WorkerOptions& options);
void add_effort_flags(CLI::App& app, WorkerOptions& options);
// What limits the command of --emit exec:, in the group that is open.
void add_command_flags(CLI::App& app, CommandOptions& options);
void add_worker_fleet_flags(CLI::App& app, WorkerOptions& options, WorkerFleetFlags& flags);

// Throws UsageError when so many transfers need more descriptors than the process may open.
void check_descriptors(const WorkerOptions& options, std::uint64_t limit);

}  // namespace fetchline
