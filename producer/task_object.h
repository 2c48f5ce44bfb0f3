// Reads the fields of a JSON task. Part of the task parser, which alone includes this. Pure.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>

#include "proto/task.h"

namespace fetchline {

// Fills `task` from `object` and returns what is wrong with it first, naming the key; empty when
// it is a task. Reads on past a fault, so that `id` and `meta` are there for the record of it.
// Keys that are not known are passed over, and so are nulls.
[[nodiscard]] std::optional<std::string> read_task(simdjson::dom::object object, Task& task);

}  // namespace fetchline
