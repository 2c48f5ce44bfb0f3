// Starts a shell as a child: in a process group of its own, with the descriptors it is given and no
// others, no signal blocked or ignored, and our environment without our own settings, FETCHLINE_*.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "proto/file_descriptor.h"

namespace fetchline {

struct PipeEnds {
  FileDescriptor read, write;
};
[[nodiscard]] PipeEnds open_pipe();  // both ends are closed on exec

// `/bin/sh -c script sh argument…`; `descriptors`: ours, to be its 0, 1, 2 and 3. Any thread.
// Throws std::system_error.
[[nodiscard]] pid_t spawn_shell(const std::string& script,
                                const std::vector<std::string>& arguments,
                                const std::vector<int>& descriptors);

}  // namespace fetchline
