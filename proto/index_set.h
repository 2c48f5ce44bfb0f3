// A set of indices (or sequence numbers) kept as ranges. A value; not for concurrent use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/ids.h"

namespace fetchline {

struct IndexRange {  // both ends belong to it
  Index first = 0;
  Index last = 0;
  bool operator==(const IndexRange&) const = default;
};

// Ranges are disjoint, not adjacent, and ascending. Adding at the end is O(1), elsewhere O(ranges).
class IndexSet {
 public:
  IndexSet() = default;

  void insert(Index index) { insert(IndexRange{index, index}); }
  void insert(IndexRange range);
  void clear() { ranges_.clear(); }

  [[nodiscard]] bool contains(Index index) const;
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::uint64_t size() const;  // indices, not ranges
  [[nodiscard]] const std::vector<IndexRange>& ranges() const { return ranges_; }
  bool operator==(const IndexSet&) const = default;

 private:
  std::vector<IndexRange> ranges_;
};

// The ranges of many indices in any order, repeats allowed; sorts `indices` in place.
[[nodiscard]] IndexSet index_set_of(std::vector<Index>& indices);

}  // namespace fetchline
