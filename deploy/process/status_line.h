// The one stderr of a process: log lines go up, a status line (the progress bar) stays at the
// bottom.
//
// Without it a log line would be written into the middle of the bar. Process-wide, because stderr
// is. Any thread. Failing to write to stderr is told nowhere: there is nowhere left.
#pragma once

#include <string_view>

namespace fetchline {

// Writes a whole line, line feed included in `text`; a status line is taken away and drawn again.
void write_stderr(std::string_view text);

// Shows `text` (one line, no wider than the terminal) in place of the last status line.
void show_status(std::string_view text);

// The last status line stays where it is, and what follows begins on a new line.
void end_status();

}  // namespace fetchline
