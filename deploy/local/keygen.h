// `fetchline keygen DIR`: makes the keys of a fleet. Main's, alone.
#pragma once

#include "deploy/process/exit_code.h"

namespace fetchline {

// Whether that is what the command line asks for.
[[nodiscard]] bool is_keygen(int argc, const char* const* argv);

// Files on disk, what to do with them on stdout, what is wrong on stderr.
[[nodiscard]] ExitCode keygen(int argc, const char* const* argv);

}  // namespace fetchline
