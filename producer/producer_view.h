// A producer's status as operators see it. Any thread.
#pragma once

#include <optional>
#include <string>

#include "deploy/process/watch_server.h"
#include "producer/producer_status.h"

namespace fetchline {

// In a sentence: what everything waits for. Empty when it waits for nothing.
[[nodiscard]] std::string why_slow(const ProducerStatus& status);

// For autoscalers: how long what is expected and not out takes at the present rate. While nothing
// comes out, as behind one slow task, by the rate of the whole time; empty before anything did.
[[nodiscard]] std::optional<double> work_left_seconds(const ProducerStatus& status,
                                                      const ProgressMoment& progress);

// Adds the producer's part to what is seen of a program.
void show(const ProducerStatus& status, Observation& seen);

}  // namespace fetchline
