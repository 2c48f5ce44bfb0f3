#include "deploy/process/progress.h"

#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "deploy/process/status_line.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMeasured{1'000};

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
    : mode_(mode), sample_(std::move(sample)), thread_([this] { run(); }) {}

ProgressReport::~ProgressReport() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_changed_.notify_one();
  thread_.join();
}

void ProgressReport::withdraw() {
  const std::lock_guard lock(mutex_);
  withdrawn_ = true;
}

ProgressMoment ProgressReport::now() const { return moment_of(sample_()); }

ProgressMoment ProgressReport::moment_of(ProgressSample sample) const {
  ProgressMoment moment;
  moment.sample = std::move(sample);
  moment.per_second = per_second_.load(std::memory_order_relaxed);
  moment.elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - start_);
  return moment;
}

// Measures more often than it shows: the rate is that of the last seconds.
void ProgressReport::run() {
  const Clock::duration period = period_of(mode_);
  Clock::time_point shown = start_;
  done_before_ = sample_().done;
  measure(start_, done_before_);
  while (true) {
    const auto next = Clock::now() + std::min<Clock::duration>(period, kMeasured);
    {
      std::unique_lock lock(mutex_);
      if (ending_changed_.wait_until(lock, next, [this] { return ending_; })) break;
    }
    const auto now = Clock::now();
    ProgressSample sample = sample_();
    measure(now, sample.done);
    // After a suspended minute one report is due, not six hundred.
    if (now - shown < period) continue;
    report(std::move(sample), false);
    shown = now;
  }
  if (!withdrawn_) return report(sample_(), true);
  if (mode_ == ProgressMode::bar) end_status();
}

void ProgressReport::measure(Clock::time_point now, std::uint64_t done) {
  per_second_.store(rate_.add(now, done), std::memory_order_relaxed);
}

void ProgressReport::report(ProgressSample sample, bool final) {
  ProgressMoment moment = moment_of(std::move(sample));
  moment.final = final;
  if (final && moment.elapsed.count() > 0) {
    moment.per_second = static_cast<double>(moment.sample.done - done_before_) * 1'000 /
                        static_cast<double>(moment.elapsed.count());
  }
  switch (mode_) {
    case ProgressMode::bar:
      show_status(progress_bar(moment, terminal_columns()));
      if (final) end_status();
      break;
    case ProgressMode::json:
      write_stderr(progress_json(moment, std::chrono::system_clock::now()));
      break;
    case ProgressMode::none:
      break;
    default:
      spdlog::info("{}", progress_line(moment));
  }
}

}  // namespace fetchline
