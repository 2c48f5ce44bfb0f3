// A worker's status as operators see it. Any thread.
#pragma once

#include "deploy/process/watch_server.h"
#include "worker/worker_status.h"

namespace fetchline {

// Adds the worker's part to what is seen of a program.
void show(const WorkerStatus& status, Observation& seen);

}  // namespace fetchline
