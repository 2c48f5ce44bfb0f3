// A file without a name that goes when its process does: what is put out where it cannot be read
// again is kept there for the next stage.
#pragma once

#include "collector/append_file.h"

namespace fetchline {

// In $TMPDIR or /tmp. Throws OutputError. Appended to by one thread, and read by another over a
// reader() of its own.
[[nodiscard]] AppendFile open_scratch_file();

}  // namespace fetchline
