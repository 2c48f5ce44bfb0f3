// A collector's status as operators see it. Any thread.
#pragma once

#include "collector/collector_status.h"
#include "deploy/process/watch_server.h"

namespace fetchline {

// Adds the collector's part to what is seen of a program.
void show(const CollectorStatus& status, Observation& seen);

}  // namespace fetchline
