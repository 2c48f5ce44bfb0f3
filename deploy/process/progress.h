// How far the job is, on stderr, by one thread of its own. See progress_text.h for what is shown.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "deploy/process/progress_text.h"

namespace fetchline {

enum class ProgressMode : std::uint8_t {
  automatic,  // a bar on a terminal, else lines
  bar,        // one line, drawn anew 10 times a second; only for terminals
  lines,      // an info log line every 10 s
  json,       // an object a line, every second
  none,
};

// What `asked` means here: never automatic, and never a bar where there is no terminal.
[[nodiscard]] ProgressMode resolve_progress(ProgressMode asked, bool on_terminal, bool quiet);

// True when stderr is a terminal that can redraw a line.
[[nodiscard]] bool stderr_is_terminal();

// Owned by main. Starts its thread at once; the destructor shows the final state, unless there is
// none to speak of, and ends it.
class ProgressReport {
 public:
  // `sample` is called on the report's thread while others work: it reads relaxed atomics or locks,
  // and lives longer than this. `mode` comes from resolve_progress.
  ProgressReport(ProgressMode mode, std::function<ProgressSample()> sample);
  ~ProgressReport();
  void withdraw();  // the job was refused: there is no final state
  // How far it is now, and how fast it went in the last seconds. Any thread.
  [[nodiscard]] ProgressMoment now() const;

  ProgressReport(const ProgressReport&) = delete;
  ProgressReport& operator=(const ProgressReport&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  [[nodiscard]] ProgressMoment moment_of(ProgressSample sample) const;
  void report(ProgressSample sample, bool final);
  void measure(Clock::time_point now, std::uint64_t done);

  const ProgressMode mode_;
  const std::function<ProgressSample()> sample_;
  const Clock::time_point start_ = Clock::now();
  RateMeter rate_;  // the report thread's
  std::atomic<double> per_second_{0};
  std::uint64_t done_before_ = 0;  // the report thread's; not 0 after --resume

  std::mutex mutex_;
  std::condition_variable ending_changed_;
  bool ending_ = false;     // guarded by mutex_
  bool withdrawn_ = false;  // guarded by mutex_

  std::thread thread_;  // the last, as it uses the others
};

}  // namespace fetchline
