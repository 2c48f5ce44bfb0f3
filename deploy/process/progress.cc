#include "deploy/process/progress.h"

#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "deploy/process/status_line.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

milliseconds period_of(ProgressMode mode) {
  if (mode == ProgressMode::bar) return milliseconds(100);
  if (mode == ProgressMode::json) return milliseconds(1'000);
  return milliseconds(10'000);
}

// Asked each time: people resize their terminals. One column less, or some of them wrap.
std::size_t terminal_columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::size_t{size.ws_col} - 1 : 79;
}

}  // namespace

ProgressMode resolve_progress(ProgressMode asked, bool on_terminal, bool quiet) {
  if (asked == ProgressMode::automatic) {
    if (quiet) return ProgressMode::none;
    asked = ProgressMode::bar;
  }
  return asked == ProgressMode::bar && !on_terminal ? ProgressMode::lines : asked;
}

bool stderr_is_terminal() {
  const char* const term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (term == nullptr || std::string_view(term) != "dumb");
}

ProgressReport::ProgressReport(ProgressMode mode, std::function<ProgressSample()> sample)
    : mode_(mode), sample_(std::move(sample)) {
  if (mode_ != ProgressMode::none) thread_ = std::thread([this] { run(); });
}

ProgressReport::~ProgressReport() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ProgressReport::withdraw() {
  const std::lock_guard lock(mutex_);
  withdrawn_ = true;
}

void ProgressReport::run() {
  Clock::time_point next = start_ + period_of(mode_);
  done_before_ = sample_().done;
  rate_.add(start_, done_before_);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (ending_changed_.wait_until(lock, next, [this] { return ending_; })) break;
    }
    const auto now = Clock::now();
    report(now, false);
    // Not next + period: after a suspended minute one report is due, not six hundred.
    next = now + period_of(mode_);
  }
  if (!withdrawn_) return report(Clock::now(), true);
  if (mode_ == ProgressMode::bar) end_status();
}

void ProgressReport::report(Clock::time_point now, bool final) {
  ProgressMoment moment;
  moment.sample = sample_();
  moment.final = final;
  moment.elapsed = std::chrono::duration_cast<milliseconds>(now - start_);
  moment.per_second = rate_.add(now, moment.sample.done);
  if (final && moment.elapsed.count() > 0) {
    moment.per_second = static_cast<double>(moment.sample.done - done_before_) * 1'000 /
                        static_cast<double>(moment.elapsed.count());
  }
  if (mode_ == ProgressMode::bar) {
    show_status(progress_bar(moment, terminal_columns()));
    if (final) end_status();
  } else if (mode_ == ProgressMode::json) {
    write_stderr(progress_json(moment, std::chrono::system_clock::now()));
  } else {
    spdlog::info("{}", progress_line(moment));
  }
}

}  // namespace fetchline
