// Reads a record of an earlier stage that stands in the input. Part of the task parser, which alone
// includes this.
#pragma once

#include <simdjson.h>

#include "proto/emitted.h"
#include "proto/emitter.h"

namespace fetchline {

// It has an `index` and an `outcome`, which no task has.
[[nodiscard]] bool is_record(simdjson::dom::object object);

// The lines that it stands for: its `emit`, else what the rule makes of its body; none when it is
// not ok.
[[nodiscard]] Emitted emitted_by(simdjson::dom::object record, Emitter& emitter);

}  // namespace fetchline
