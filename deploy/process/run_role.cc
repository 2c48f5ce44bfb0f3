#include "deploy/process/run_role.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

namespace fetchline {
namespace {

ExitCode report(const std::exception& error, std::initializer_list<EnvironmentError> errors) {
  const auto known = std::ranges::find_if(errors, [&](const auto& kind) { return kind.is(error); });
  if (known == errors.end()) {
    spdlog::error("internal error: {}", error.what());
    return ExitCode::internal;
  }
  const std::string subject = known->flag.empty() ? "" : std::string(known->flag) + ": ";
  spdlog::error("{}{}", subject, error.what());
  return known->code;
}

// glibc learns to keep the memory of large bodies once some were freed, and then holds on to half
// as much again as is in use. With a fixed threshold they go back at once.
void return_large_blocks() {
  constexpr int kFromBytes = 256 * 1024;
  mallopt(M_MMAP_THRESHOLD, kFromBytes);
}

}  // namespace

ExitCode run_role(Program& program, int argc, const char* const* argv,
                  const std::function<ExitCode()>& role,
                  std::initializer_list<EnvironmentError> errors) {
  return_large_blocks();
  if (const auto end = program.parse(argc, argv)) return *end;
  setup_log(program.log());
  for (const std::string& warning : program.warnings()) spdlog::warn("{}", warning);
  try {
    return role();
  } catch (const UsageError& error) {
    return program.report(error);
  } catch (const std::exception& error) {
    return report(error, errors);
  }
}

}  // namespace fetchline
