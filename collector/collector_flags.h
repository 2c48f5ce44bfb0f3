// The collector's flags. Where results go and what may wait are shared with `fetchline`.
#pragma once

#include "collector/collector.h"
#include "deploy/process/flags.h"

namespace fetchline {

void add_output_flags(CLI::App& app, CollectorOptions& options);
void add_durability_flag(CLI::App& app, CollectorOptions& options);
void add_memory_flags(CLI::App& app, CollectorOptions& options);
void add_collector_fleet_flags(CLI::App& app, CollectorOptions& options);

// In the group that is open.
void add_emit_flag(CLI::App& app, CollectorOptions& options);
void add_next_flag(CLI::App& app, CollectorOptions& options);

// --next alone sends what --emit body-lines says. Call it before the flags are checked.
void set_default_emit(CollectorOptions& options);

// What no flag can say alone. Throws UsageError.
void check_output_flags(const CollectorOptions& options);

}  // namespace fetchline
