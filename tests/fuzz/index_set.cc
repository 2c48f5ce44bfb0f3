// IndexSet against std::set. The input: operations of three bytes.
#include "proto/index_set.h"

#include <iterator>
#include <set>

#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

void check_shape(const IndexSet& set) {
  const IndexRange* before = nullptr;
  for (const IndexRange& range : set.ranges()) {
    check(range.first <= range.last, "a range has an index");
    check(before == nullptr || range.first > before->last + 1, "ranges ascend and do not touch");
    before = &range;
  }
}

void check_same(const IndexSet& set, const std::set<Index>& model) {
  check_shape(set);
  check(set.size() == model.size() && set.empty() == model.empty(), "as many as in the model");
  for (const IndexRange& range : set.ranges()) {
    for (Index index = range.first; index <= range.last; ++index) {
      check(model.contains(index), "nothing that was not inserted");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  // At the very end of what an index can be there is no room for mistakes by one.
  const Index base = input.flip() ? kMaxIndex - 300 : 0;
  IndexSet set;
  std::set<Index> model;
  std::vector<Index> all;  // since it was cleared
  while (!input.empty()) {
    const auto action = input.below(16);
    const Index first = base + input.byte(), last = first + input.below(8);
    if (action == 0) {
      set.clear();
      model.clear();
      all.clear();
    } else if (action < 6) {
      set.insert(first);
      model.insert(first);
      all.push_back(first);
    } else {
      set.insert(IndexRange{first, last});
      for (Index index = first; index <= last; ++index) {
        model.insert(index);
        all.push_back(index);
      }
    }
    check(set.contains(first) == model.contains(first), "what is in it");
    check(set.contains(last + 1) == model.contains(last + 1), "what is behind it");
    check_same(set, model);
  }
  check(index_set_of(all) == set, "the same in any order");
  return 0;
}

}  // namespace fetchline::fuzz
