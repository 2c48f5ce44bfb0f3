// The collector's flags. Where results go and what may wait are shared with `fetchline`.
#pragma once

#include <CLI/CLI.hpp>

#include "collector/collector.h"

namespace fetchline {

void add_output_flags(CLI::App& app, CollectorOptions& options);
void add_memory_flags(CLI::App& app, CollectorOptions& options);
void add_collector_fleet_flags(CLI::App& app, CollectorOptions& options);

}  // namespace fetchline
