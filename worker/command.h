// One run of the command of --emit exec: a record on its stdin, lines for the next stage from its
// stdout. Owned by the thread that runs the commands; waits for nothing but what it has killed.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/emitted.h"
#include "proto/file_descriptor.h"
#include "proto/instant.h"
#include "proto/record_json.h"
#include "worker/command_guard.h"

namespace fetchline {

struct CommandOptions {
  std::string command;                         // for /bin/sh -c; empty: there is none
  std::chrono::milliseconds max_time{60'000};  // 0: no limit
  std::uint64_t max_memory_bytes = std::uint64_t{512} << 20;  // of each process of it; 0: no limit
  // Who stops a worker may stop its command first. So long after that it is no verdict.
  std::chrono::milliseconds stop_patience{1'000};
};

class Command {
 public:
  // Starts it. `result` outlives it and stays as it is; its record is made as fast as it is read,
  // for a second copy of a large body would be too much. Throws std::system_error when the system
  // does not let it.
  Command(const CommandOptions& options, const Result& result, CommandGuard& guard, Instant now);
  ~Command();  // kills it and all in its group
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  void add_to(std::vector<pollfd>& items) const;  // what it waits for
  [[nodiscard]] Instant deadline() const { return deadline_; }
  [[nodiscard]] pid_t group() const { return pid_; }

  // Moves what can be moved now. What it emits, once it has ended; then this is of no use any more.
  [[nodiscard]] std::optional<Emitted> advance(Instant now);
  // It has ended because somebody asked it to, by SIGTERM, SIGINT or SIGHUP, and not we.
  [[nodiscard]] bool was_stopped() const { return was_stopped_; }

 private:
  void feed();
  [[nodiscard]] bool next_piece();
  void close_input();
  [[nodiscard]] bool read_output();  // false: there is too much of it
  void read_complaint();
  [[nodiscard]] bool has_ended() const;
  int reap();
  [[nodiscard]] Emitted outcome_of(int status);
  [[nodiscard]] Emitted failure(std::string why) const;

  const std::chrono::milliseconds max_time_;
  CommandGuard& guard_;
  Instant deadline_ = Instant::max();
  pid_t pid_ = -1;      // of its group, too; -1: it was waited for
  FileDescriptor end_;  // a pidfd: readable when its shell has ended
  bool was_stopped_ = false;
  FileDescriptor stdin_, stdout_, stderr_;
  RecordPieces input_;
  std::string piece_;    // of the input, that is being given
  std::size_t fed_ = 0;  // of it
  std::string output_;
  std::string complaint_;  // the beginning of what it writes to stderr
};

}  // namespace fetchline
