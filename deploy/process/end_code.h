// The exit code of a process whose role's run has come to its end. For mains, after the run.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>

#include "deploy/process/exit_code.h"
#include "deploy/process/verdict.h"

namespace fetchline {

// `End` is proto/run_end.h's, which this room does not include. Says why on stderr, if there is a
// why. `ok` and `total` are tasks, of a job that is complete; then `rule` (--fail-on) decides.
template <class End>
ExitCode exit_code_of(const End& end, std::uint64_t ok, std::uint64_t total, const FailOn& rule) {
  using Kind = typename End::Kind;
  if (!end.why.empty()) spdlog::error("{}", end.why);
  switch (end.kind) {
    case Kind::complete:
      break;
    case Kind::interrupted:
      return ExitCode::interrupted;
    case Kind::no_peer:
      return ExitCode::no_peer;
    case Kind::fenced:
      return ExitCode::fenced;
    case Kind::forgotten:
      return ExitCode::journal_damaged;
    case Kind::other_input:
      return ExitCode::input_unreadable;
  }
  if (end.was_done_before) return ExitCode::ok;
  if (total == 0) spdlog::warn("the input has no tasks");
  return decide(rule, ok, total - ok, total);
}

}  // namespace fetchline
