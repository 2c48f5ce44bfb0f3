// Whether the tasks of a producer that resumes are those whose results are here. Pure; owned by the
// collector's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/messages.h"

namespace fetchline {

class TaskComparison {
 public:
  // All tasks below `end` are to be compared, again from the first. Of a job that is done there may
  // be the chained hash of all of them, which decides where a single task's hash is not known.
  void begin(Index end, std::optional<std::uint64_t> chain = {});

  void add(Recap recap);  // kept if it tells something new
  [[nodiscard]] std::vector<Recap> take_recaps();
  // `known`: the hash of each index of the recap, as far as it is known; 0 and missing: not known.
  void compare(const Recap& recap, const std::vector<std::uint64_t>& known);

  [[nodiscard]] Index end() const { return end_; }
  [[nodiscard]] Index compared() const { return compared_; }  // the same below it
  [[nodiscard]] bool over() const { return differs_ || compared_ >= end_; }
  [[nodiscard]] const std::optional<Index>& differs() const { return differs_; }

 private:
  Index end_ = 0;
  Index compared_ = 0;
  std::optional<Index> differs_;
  std::vector<Recap> recaps_;

  std::optional<std::uint64_t> expected_chain_;
  std::uint64_t chain_ = 0;
  std::optional<Index> first_unknown_;
};

}  // namespace fetchline
