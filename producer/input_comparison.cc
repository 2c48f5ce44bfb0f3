#include "producer/input_comparison.h"

#include <algorithm>

namespace fetchline {

void InputComparison::add(std::uint64_t hash) {
  const Index index = read_++;
  if (keeps_ && index >= compared_) hashes_.push_back(hash);
}

void InputComparison::keep_no_more() {
  keeps_ = false;
  hashes_.clear();
}

void InputComparison::on_state(Index compared, Index compare_to, Instant now) {
  if (compared != compared_) progress_at_ = now;
  if (compared < compared_) next_ = compared;  // a collector that started anew
  compared_ = compared;
  compare_to_ = compare_to;
  next_ = std::max(next_, compared_);
  while (!hashes_.empty() && read_ - hashes_.size() < compared_) hashes_.pop_front();
}

std::optional<Recap> InputComparison::next(Instant now) {
  if (next_ > compared_ && now - progress_at_ >= kAgainAfter) next_ = compared_;
  const Index end = std::min({next_ + kHashes, compare_to_, read_});
  if (end <= next_ || end > compared_ + kAhead) return std::nullopt;
  if (end < next_ + kHashes && end < compare_to_) return std::nullopt;  // more is to be read
  if (next_ == compared_) progress_at_ = now;
  Recap recap;
  recap.first = next_;
  recap.hashes.reserve(end - next_);
  while (next_ < end) recap.hashes.push_back(hash_of(next_++));
  return recap;
}

std::uint64_t InputComparison::hash_of(Index index) const {
  const Index first = read_ - hashes_.size();
  return index < first ? 0 : hashes_[index - first];
}

}  // namespace fetchline
