// The log of a process: spdlog's default logger, to stderr, one line a message.
//
// text:  fetchline-worker: warning: no answer from the producer for 10 s
// json:  {"ts":"2026-01-01T00:00:00.000Z","level":"warning","program":"fetchline-worker","msg":"…"}
// Info carries no level word. There are no colours, so NO_COLOR is obeyed by nature. Text has no
// time: a terminal does not need it, and journald and containers add their own.
// Everything logged is made printable first, since messages quote peers and origins.
#pragma once

#include <string>

namespace fetchline {

struct LogOptions {
  std::string program{};  // as the user calls it: "fetchline-worker"
  bool quiet = false;     // errors only; wins over verbose
  bool verbose = false;   // debug messages too
  bool json = false;
};

// Main, before other threads log.
void setup_log(const LogOptions& options);

}  // namespace fetchline
