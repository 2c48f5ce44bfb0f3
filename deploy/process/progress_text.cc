#include "deploy/process/progress_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "deploy/process/printable.h"
#include "deploy/process/quantities.h"
#include "deploy/process/timestamp.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kShortestBar = 8, kLongestBar = 40;  // columns between the brackets

double share_done(const ProgressSample& sample) {
  if (!sample.total || *sample.total == 0) return 1;
  return std::min(1.0, static_cast<double>(sample.done) / static_cast<double>(*sample.total));
}

// 100% is said only when it is so.
std::string percent(const ProgressSample& sample) {
  return fmt::format("{}%", static_cast<int>(share_done(sample) * 100));
}

std::string rate(double per_second) {
  if (per_second < 10) return fmt::format("{:.1f}/s", per_second);
  return format_count(static_cast<std::uint64_t>(std::llround(per_second))) + "/s";
}

std::string time_text(const ProgressMoment& moment) {
  if (moment.final) return "in " + format_duration(moment.elapsed);
  const auto left = time_left(moment);
  return left ? "ETA " + format_duration(std::max(*left, milliseconds(1'000))) : std::string();
}

std::string drawn_bar(double share, std::size_t columns) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(columns));
  std::string bar(full, '=');
  if (full < columns) bar += '>';
  bar.resize(columns, ' ');
  return "[" + bar + "]";
}

std::string tail_of_bar(const ProgressMoment& moment) {
  const ProgressSample& sample = moment.sample;
  std::string tail = "  " + rate(moment.per_second);
  if (sample.failed > 0) tail += fmt::format("  {} failed", format_count(sample.failed));
  if (!moment.final && !sample.waiting_for.empty()) {
    return tail + "  waiting for " + printable(sample.waiting_for);
  }
  if (!sample.total && !moment.final) {
    tail += fmt::format("  {} in flight", format_count(sample.in_flight));
  }
  const std::string time = time_text(moment);
  return time.empty() ? tail : tail + "  " + time;
}

}  // namespace

double RateMeter::add(Clock::time_point now, std::uint64_t done) {
  samples_.emplace_back(now, done);
  while (samples_.size() > 2 && now - samples_[1].first >= kSpan) samples_.pop_front();
  const auto& [since, before] = samples_.front();
  const double seconds = std::chrono::duration<double>(now - since).count();
  return seconds > 0 && done > before ? static_cast<double>(done - before) / seconds : 0;
}

std::optional<milliseconds> time_left(const ProgressMoment& moment) {
  const ProgressSample& sample = moment.sample;
  if (moment.final || !sample.total || *sample.total <= sample.done) return std::nullopt;
  const double seconds = static_cast<double>(*sample.total - sample.done) / moment.per_second;
  if (!(seconds < 1e7)) return std::nullopt;  // a rate of 0 ends here too
  return milliseconds(static_cast<std::int64_t>(seconds * 1'000));
}

std::string progress_bar(const ProgressMoment& moment, std::size_t width) {
  const ProgressSample& sample = moment.sample;
  std::string text = "  " + format_count(sample.done);
  const std::string tail = tail_of_bar(moment);
  if (sample.total) {
    text += fmt::format(" / {}  {}", format_count(*sample.total), percent(sample));
    const std::size_t taken = text.size() + tail.size() + 4;  // two blanks and the brackets
    if (taken + kShortestBar <= width) {
      text += "  " + drawn_bar(share_done(sample), std::min(width - taken, kLongestBar));
    }
  } else {
    text += " done";
  }
  return (text + tail).substr(0, width);
}

std::string progress_line(const ProgressMoment& moment) {
  const ProgressSample& sample = moment.sample;
  std::string line = format_count(sample.done);
  if (sample.total) line += " of " + format_count(*sample.total);
  line += " done";
  if (sample.total) line += fmt::format(" ({})", percent(sample));
  line += fmt::format(", {} failed, {}", format_count(sample.failed), rate(moment.per_second));
  if (!moment.final && !sample.waiting_for.empty()) line += ", waiting for " + sample.waiting_for;
  const std::string time = time_text(moment);
  return time.empty() ? line : line + ", " + time;
}

std::string progress_json(const ProgressMoment& moment, std::chrono::system_clock::time_point now) {
  const ProgressSample& sample = moment.sample;
  const auto left = time_left(moment);
  return fmt::format(
      "{{\"type\":\"progress\",\"ts\":{},\"done\":{},\"ok\":{},\"failed\":{},\"total\":{},"
      "\"in_flight\":{},\"bytes_out\":{},\"per_second\":{:.1f},\"elapsed_seconds\":{:.1f},"
      "\"eta_seconds\":{},\"waiting_for\":{},\"final\":{}}}\n",
      json_string(timestamp(now)), sample.done, sample.ok, sample.failed,
      sample.total ? std::to_string(*sample.total) : "null", sample.in_flight, sample.bytes_out,
      moment.per_second, static_cast<double>(moment.elapsed.count()) / 1'000,
      left ? fmt::format("{:.1f}", static_cast<double>(left->count()) / 1'000) : "null",
      json_string(sample.waiting_for), moment.final);
}

}  // namespace fetchline
