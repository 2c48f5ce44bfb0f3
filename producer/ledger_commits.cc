// What the collector has, and what it may have lost.
#include <algorithm>
#include <iterator>

#include "producer/ledger.h"

namespace fetchline {
namespace {

Task place_of(Index index) {  // what stays of a task that is decided
  Task task;
  task.index = index;
  return task;
}

bool contains_range(const IndexSet& set, IndexRange range) {
  const auto& ranges = set.ranges();
  const auto at = std::lower_bound(ranges.begin(), ranges.end(), range.first,
                                   [](const IndexRange& r, Index i) { return r.last < i; });
  return at != ranges.end() && at->first <= range.first && range.last <= at->last;
}

}  // namespace

void Ledger::commit_below(Index watermark) {
  known_below_ = std::max(known_below_, watermark);
  for (Index index = base_; index < std::min(watermark, next_index()); ++index) {
    commit_one(*find(index));
  }
  drop_committed();
}

void Ledger::commit(const IndexSet& set) {
  for (const IndexRange& range : set.ranges()) {
    const Index end = std::min(range.last + 1, next_index());
    for (Index index = std::max(range.first, base_); index < end; ++index) commit_one(*find(index));
  }
  drop_committed();
  if (!set.empty() && set.ranges().back().last >= next_index()) remember(set);
}

void Ledger::commit_one(Slot& slot) {
  const Index index = slot.task.index;
  switch (slot.phase) {
    case Phase::committed:
      return;
    case Phase::leased:
      end_leases(slot, Phase::committed);
      break;
    case Phase::ready:
      leave_ready(slot);
      break;
    case Phase::delayed: {
      auto [at, end] = delayed_.equal_range(slot.due);
      at = std::find_if(at, end, [&](const auto& entry) { return entry.second == index; });
      delayed_.erase(at);
      break;
    }
    case Phase::doubtful:
      doubtful_.erase(index);
      break;
    case Phase::delivered:
      break;
  }
  slot.phase = Phase::committed;
  slot.why.clear();
  blame_.forget(index);
  slot.task = place_of(index);  // only its place is still needed
}

void Ledger::drop_committed() {
  while (!slots_.empty() && slots_.front().phase == Phase::committed) {
    if (slots_.front().outcome != Outcome::ok) ++failed_;
    slots_.pop_front();
    ++base_;
  }
  while (!unrepeatable_.empty() && unrepeatable_.front() < base_) unrepeatable_.pop_front();
  skip_unready();
}

// Both are ascending, so that each range is added at the end.
void Ledger::remember(const IndexSet& set) {
  std::vector<IndexRange> all = known_.ranges();
  const auto known = static_cast<std::ptrdiff_t>(all.size());
  all.insert(all.end(), set.ranges().begin(), set.ranges().end());
  const auto by_first = [](const IndexRange& a, const IndexRange& b) { return a.first < b.first; };
  std::inplace_merge(all.begin(), all.begin() + known, all.end(), by_first);
  known_.clear();
  for (const IndexRange& range : all) {
    if (range.last >= next_index()) known_.insert(range);
  }
}

bool Ledger::may_lack_result(Index watermark, const IndexSet& set) const {
  const auto has = [&](Index index) { return index < watermark || set.contains(index); };
  const auto lacks = [&](Index first, Index end) {  // a range of a set is within one of another
    first = std::max(first, watermark);
    return first < end && !contains_range(set, {first, end - 1});
  };
  if (lacks(watermark, std::max(base_, known_below_))) return true;
  for (const IndexRange& range : known_.ranges()) {
    if (lacks(range.first, range.last + 1)) return true;
  }
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    const bool is_unbegun = slot.phase == Phase::ready || slot.phase == Phase::delayed;
    return !is_unbegun && !has(slot.task.index);
  });
}

}  // namespace fetchline
