// The collector's flags. Where results go and what may wait are shared with `fetchline`.
#pragma once

#include "collector/collector.h"
#include "deploy/process/flags.h"

namespace fetchline {

void add_output_flags(CLI::App& app, CollectorOptions& options);
void add_durability_flag(CLI::App& app, CollectorOptions& options);
void add_memory_flags(CLI::App& app, CollectorOptions& options);
void add_collector_fleet_flags(CLI::App& app, CollectorOptions& options);

void add_emit_flag(CLI::App& app, CollectorOptions& options);  // in the group that is open

// What no flag can say alone. Throws UsageError.
void check_output_flags(const CollectorOptions& options);

}  // namespace fetchline
