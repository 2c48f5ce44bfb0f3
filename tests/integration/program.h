// A program of ours as a child process, seen as a shell sees it: arguments, environment, three
// streams, signals and an exit code. Every wait has a deadline; the destructor kills.
//
// Used by one thread. Nothing runs in the background: its stdout is read by the calls that wait
// for it, and by no others, so a test decides when its reader stops.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/file_descriptor.h"

namespace fetchline {

using Args = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

// Long enough for sanitizers on a busy machine; only failures take it.
inline constexpr std::chrono::seconds kPatience{30};

[[nodiscard]] Args operator+(Args left, const Args& right);

// Tries every few milliseconds; false when it was not so within kPatience.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// A TCP port of this machine that nobody listens on and no outgoing connection is given.
[[nodiscard]] std::uint16_t free_port();
[[nodiscard]] std::string endpoint(std::uint16_t port);  // "tcp://127.0.0.1:PORT"

[[nodiscard]] std::string fetchline_path();
[[nodiscard]] std::string producer_path();
[[nodiscard]] std::string worker_path();
[[nodiscard]] std::string collector_path();

class RunningProgram {
 public:
  struct Setup {
    std::map<std::string, std::string> environment = {};  // besides ours, less FETCHLINE_*
    bool stdin_is_pipe = false;                           // otherwise it is empty
    std::string stdout_path = {};                         // empty: a pipe to us
  };

  RunningProgram(const std::string& path, const Args& args, const Setup& setup);
  RunningProgram(const std::string& path, const Args& args) : RunningProgram(path, args, Setup{}) {}
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  // Reads stdout while it waits for room. False: it does not read any more, or kPatience is over.
  bool write(std::string_view text);
  // Something fits, at the latest when `patience` is over; stdout is not read.
  [[nodiscard]] bool takes_input(Clock::duration patience);
  // All that was written has been read by the program.
  [[nodiscard]] bool has_read_input() const;
  // What fits now, stdout is not read.
  [[nodiscard]] std::size_t write_some(std::string_view text);
  void close_stdin() { stdin_ = FileDescriptor(); }
  void close_stdout() { stdout_ = FileDescriptor(); }

  // Without the newline; empty at the end of the stream or when kPatience is over.
  [[nodiscard]] std::optional<std::string> read_line();
  [[nodiscard]] bool has_output();  // something can be read now

  // Reads stdout to its end and waits for the program's. 128 + N when signal N ended it, as in a
  // shell; -1 and a failed test when kPatience is over.
  int exit_code();
  [[nodiscard]] bool has_ended();

  void signal(int number) const;
  // It has begun to listen to this signal, which would have ended it before.
  [[nodiscard]] bool listens_to(int number) const;
  // It has not looked yet at one that was sent; the next would be the same one.
  [[nodiscard]] bool has_pending(int number) const;

  // All that was read so far and not taken by read_line().
  [[nodiscard]] const std::string& stdout_text() const { return output_; }
  [[nodiscard]] std::string stderr_text() const;
  [[nodiscard]] bool says(std::string_view text) const;  // on stderr, so far
  // The most it ever had in memory (VmHWM), as seen by exit_code() and this call.
  [[nodiscard]] std::uint64_t peak_memory_bytes();

 private:
  [[nodiscard]] std::string status(std::string_view field) const;  // of /proc/PID/status
  // Until there is something to read, `fd` can be written, or it ended; at most until `deadline`.
  void wait(Clock::time_point deadline, int writable_fd = -1);
  void read_available();
  void reap(bool must);

  std::string name_;
  pid_t pid_ = -1;
  FileDescriptor end_;  // a pidfd: readable when it has ended
  FileDescriptor stdin_, stdout_, stderr_;
  std::string output_;
  std::optional<int> code_;
  std::uint64_t peak_memory_bytes_ = 0;
};

// To its end.
struct Ended {
  int code = -1;
  std::string out, err;
};
[[nodiscard]] Ended run(const std::string& path, const Args& args,
                        const RunningProgram::Setup& setup = {});

}  // namespace fetchline
