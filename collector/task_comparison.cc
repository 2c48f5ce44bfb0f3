#include "collector/task_comparison.h"

#include <utility>

#include "proto/task_hash.h"

namespace fetchline {

void TaskComparison::begin(Index end, std::optional<std::uint64_t> chain) {
  *this = TaskComparison();
  end_ = end;
  expected_chain_ = chain;
}

void TaskComparison::add(Recap recap) {
  constexpr std::size_t kMostAtOnce = 64;
  const bool is_news = recap.first + recap.hashes.size() > compared_;
  if (is_news && recaps_.size() < kMostAtOnce) recaps_.push_back(std::move(recap));
}

std::vector<Recap> TaskComparison::take_recaps() { return std::exchange(recaps_, {}); }

void TaskComparison::compare(const Recap& recap, const std::vector<std::uint64_t>& known) {
  if (recap.first > compared_) return;  // the one before it was lost
  for (std::size_t i = compared_ - recap.first; i < recap.hashes.size() && !over(); ++i) {
    const std::uint64_t before = i < known.size() ? known[i] : 0;
    const std::uint64_t now = recap.hashes[i];
    chain_ = chained_hash(chain_, now);
    if (now == 0) expected_chain_.reset();  // it does not say what all of its tasks are
    if (before == 0 || now == 0) {
      first_unknown_ = first_unknown_.value_or(compared_);
    } else if (before != now) {
      differs_ = compared_;
      return;
    }
    ++compared_;
  }
  const bool all = compared_ >= end_;
  if (all && expected_chain_ && chain_ != *expected_chain_) differs_ = first_unknown_.value_or(0);
}

}  // namespace fetchline
