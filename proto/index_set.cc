#include "proto/index_set.h"

#include <algorithm>

namespace fetchline {

void IndexSet::insert(IndexRange range) {
  if (ranges_.empty() || range.first > ranges_.back().last + 1) {
    ranges_.push_back(range);
    return;
  }
  // The first range that touches or follows the new one; then every one that touches it is merged.
  const auto begin =
      std::lower_bound(ranges_.begin(), ranges_.end(), range.first,
                       [](const IndexRange& r, Index first) { return r.last + 1 < first; });
  auto end = begin;
  while (end != ranges_.end() && end->first <= range.last + 1) {
    range.first = std::min(range.first, end->first);
    range.last = std::max(range.last, end->last);
    ++end;
  }
  if (begin == end) {
    ranges_.insert(begin, range);
  } else {
    *begin = range;
    ranges_.erase(begin + 1, end);
  }
}

bool IndexSet::contains(Index index) const {
  const auto at = std::lower_bound(ranges_.begin(), ranges_.end(), index,
                                   [](const IndexRange& r, Index i) { return r.last < i; });
  return at != ranges_.end() && at->first <= index;
}

std::uint64_t IndexSet::size() const {
  std::uint64_t count = 0;
  for (const IndexRange& range : ranges_) count += range.last - range.first + 1;
  return count;
}

IndexSet index_set_of(std::vector<Index>& indices) {
  std::sort(indices.begin(), indices.end());
  IndexSet set;
  for (const Index index : indices) set.insert(index);
  return set;
}

}  // namespace fetchline
