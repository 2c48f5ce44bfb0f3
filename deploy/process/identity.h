// What this process calls itself in records and logs, and how much of the machine it may use.
#pragma once

#include <cstdint>
#include <string>

namespace fetchline {

// "host:pid", the `worker` of a record. Any thread.
[[nodiscard]] std::string process_name();

// Raises this process's limit of open descriptors as far as it may and returns what it is now.
// Main, before other threads.
[[nodiscard]] std::uint64_t raise_descriptor_limit();

}  // namespace fetchline
