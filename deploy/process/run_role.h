// What every main does: flags in, the role's run, an exit code out. The environment's errors, which
// are thrown, are caught here and nowhere else; each becomes one line on stderr.
//
//     return to_int(run_role(program, argc, argv, [&] { return run(options, signals); },
//                            {environment_error<InputError>("--input",
//                            ExitCode::input_unreadable)}));
//
// Any UsageError is exit code 2, and what is not in the list is an internal error.
#pragma once

#include <exception>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "deploy/process/exit_code.h"
#include "deploy/process/program.h"

namespace fetchline {

// What an error that this room does not know is to a user.
struct EnvironmentError {
  bool (*is)(const std::exception& error);
  std::string_view flag;  // who is to blame; empty: the error's text names it
  ExitCode code;
};
template <class Error>
constexpr EnvironmentError environment_error(std::string_view flag, ExitCode code) {
  return {[](const std::exception& error) { return dynamic_cast<const Error*>(&error) != nullptr; },
          flag, code};
}

// Parses, sets up the log and runs. Main, before other threads than the signals'.
[[nodiscard]] ExitCode run_role(Program& program, int argc, const char* const* argv,
                                const std::function<ExitCode()>& role,
                                std::initializer_list<EnvironmentError> errors);

}  // namespace fetchline
