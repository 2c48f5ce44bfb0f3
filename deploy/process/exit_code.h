// What a program's exit status says, the same numbers for every program of ours.
//
// A supervisor acts on them: 4 and 5 are about the tasks, 7, 8 and 10 are worth a restart with
// --resume, the rest needs a person. The numbers are a promise to users and never change.
#pragma once

#include <cstdint>

namespace fetchline {

enum class ExitCode : std::uint8_t {
  ok = 0,                 // every task is ok, or there was none
  internal = 1,           // we are wrong: a bug
  usage = 2,              // a flag, a variable or the config file is wrong
  input_unreadable = 3,   // the input cannot be read, or is not the one --resume began with
  some_failed = 4,        // tasks failed, as many as --fail-on names
  none_succeeded = 5,     // there were tasks and not one is ok
  interrupted = 7,        // a signal stopped us; --resume goes on
  deadline_passed = 8,    // the time given was not enough
  output_unwritable = 9,  // disk full, no permission, or the output exists
  no_peer = 10,           // nobody came to talk to in time
  fenced = 11,            // a newer producer of the same job took over
  journal_damaged = 12,  // what is on disk cannot be trusted, or is gone: it had been taken as safe
};

// For main's return.
[[nodiscard]] constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace fetchline
