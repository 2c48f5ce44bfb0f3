// A collector's status as operators see it. Any thread.
#pragma once

#include <string>

#include "collector/collector_status.h"
#include "deploy/process/watch_server.h"

namespace fetchline {

// What the order's head waits for, as the collector knows it: the producer knows more. Empty:
// nothing.
[[nodiscard]] std::string why_slow(const CollectorStatus& status);

// Adds the collector's part to what is seen of a program.
void show(const CollectorStatus& status, Observation& seen);

}  // namespace fetchline
