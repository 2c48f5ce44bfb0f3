// Reports on their way to the producer: numbered, held until it says it has seen them. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "proto/codec.h"
#include "proto/messages.h"

namespace fetchline {

class ReportQueue {
 public:
  void add(Report report) { held_.push_back(report); }

  // What the next heartbeat carries: everything not sent yet, or all again when `again`.
  void write_to(Heartbeat& heartbeat, bool again) {
    if (again) sent_ = 0;
    heartbeat.first_report = first_ + sent_;
    const std::size_t count = std::min(held_.size() - sent_, kMaxReportsPerMessage);
    const auto begin = held_.begin() + static_cast<std::ptrdiff_t>(sent_);
    heartbeat.reports.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    sent_ += count;
  }

  void seen(std::uint64_t through) {
    while (!held_.empty() && first_ <= through) {
      held_.pop_front();
      ++first_;
      if (sent_ > 0) --sent_;
    }
  }

  [[nodiscard]] bool has_unsent() const { return sent_ < held_.size(); }
  [[nodiscard]] bool empty() const { return held_.empty(); }

 private:
  std::deque<Report> held_;
  std::uint64_t first_ = 1;  // number of held_.front()
  std::size_t sent_ = 0;     // how many of held_ went out already
};

}  // namespace fetchline
