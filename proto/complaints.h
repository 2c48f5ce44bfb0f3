// Warnings that strangers cause, by how they connect or what they answer; of messages NonsenseWatch
// speaks. Each text
// once a minute, few texts a minute, the rest as a number, so that nobody can fill a log. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/instant.h"

namespace fetchline {

class Complaints {
 public:
  static constexpr std::size_t kTexts = 5;
  static constexpr std::chrono::seconds kEach{60};

  void note(std::string text) {
    if (std::ranges::find(noted_, text) != noted_.end()) return;
    if (noted_.size() == kTexts) {
      ++missed_;
      return;
    }
    noted_.push_back(text);
    unsaid_.push_back(std::move(text));
  }

  // A line to log, if there is one; ask until there is none, once a turn.
  [[nodiscard]] std::optional<std::string> next(Instant now) {
    if (!unsaid_.empty()) {
      std::string text = std::move(unsaid_.front());
      unsaid_.pop_front();
      return text;
    }
    if (now - begin_ < kEach) return std::nullopt;
    begin_ = now;
    noted_.clear();
    if (missed_ == 0) return std::nullopt;
    return std::to_string(std::exchange(missed_, 0)) + " more warnings like these";
  }

 private:
  Instant begin_{};  // of the minute
  std::vector<std::string> noted_;
  std::deque<std::string> unsaid_;
  std::uint64_t missed_ = 0;
};

}  // namespace fetchline
