// Progress as text: the numbers, their rate, and the lines made of them. Pure; safe on any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace fetchline {

struct ProgressSample {
  std::uint64_t done = 0, ok = 0, failed = 0;  // tasks; done is ok + failed
  std::uint64_t bytes_out = 0;                 // of bodies put out
  std::optional<std::uint64_t> total{};        // tasks, once the input has ended
  std::uint64_t in_flight = 0;                 // tasks at workers
  std::string waiting_for{};                   // "a worker at tcp://…"; empty: for nobody
};

// Tasks a second over the last few seconds, so that it follows what happens now.
class RateMeter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kSpan{5};

  // Times in order. Returns the rate from the oldest sample kept to this one.
  double add(Clock::time_point now, std::uint64_t done);

 private:
  std::deque<std::pair<Clock::time_point, std::uint64_t>> samples_;
};

struct ProgressMoment {
  ProgressSample sample;
  double per_second = 0;                 // now; at the end over the whole time
  std::chrono::milliseconds elapsed{0};  // since the start
  bool final = false;                    // nothing more will come: no ETA, the time it took
};

// At this rate; empty when the end is not known or not in sight.
[[nodiscard]] std::optional<std::chrono::milliseconds> time_left(const ProgressMoment& moment);

// "  4,512 / 10,000  45%  [====>      ]  1,203/s  2 failed  ETA 5s", never over `width` columns.
[[nodiscard]] std::string progress_bar(const ProgressMoment& moment, std::size_t width);

// The same for a log: "4,512 of 10,000 done (45%), 2 failed, 1,203/s, ETA 5s".
[[nodiscard]] std::string progress_line(const ProgressMoment& moment);

// One JSON object with line feed. `total` and `eta_seconds` are null when not known.
[[nodiscard]] std::string progress_json(const ProgressMoment& moment,
                                        std::chrono::system_clock::time_point now);

}  // namespace fetchline
