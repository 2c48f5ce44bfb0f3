// SIGINT and SIGTERM as stop tokens. First in main, before any thread: threads inherit the mask.
//
// The first signal asks to drain: take nothing new, finish what is in hand. One that comes at least
// a second later asks to abort: stop now. What comes earlier is ignored, because a terminal, a
// shell and a supervisor may each pass on the same Ctrl-C. SIGPIPE and SIGXFSZ are ignored: writes
// say it themselves.
//
// The mask stays when this is gone, so that a late signal cannot kill a program that is closing its
// files. Child processes inherit it: whoever starts one clears it there.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace fetchline {

enum class StopStep { ignore, drain, abort };

// Which step a signal at `now` means. Pure; the signal thread's.
class StopSteps {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kSecondCounts{1};

  [[nodiscard]] StopStep on_signal(Clock::time_point now);

 private:
  std::optional<Clock::time_point> first_;
};

// Owned by main. Its one thread sleeps until a signal comes or the owner goes.
// Throws std::system_error from the constructor when the process is out of descriptors.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  // Any thread, all of these.
  [[nodiscard]] std::stop_token drain() const { return drain_.get_token(); }
  [[nodiscard]] std::stop_token abort() const { return abort_.get_token(); }
  [[nodiscard]] bool interrupted() const { return interrupted_; }  // by a signal
  void request_abort();  // drain too, for whoever looks only there

 private:
  void wait_for_signals();
  void on_signal();

  std::stop_source drain_, abort_;
  std::atomic<bool> interrupted_{false};
  int signals_fd_ = -1, end_fd_ = -1;
  StopSteps steps_;  // the signal thread's
  std::thread thread_;
};

}  // namespace fetchline
