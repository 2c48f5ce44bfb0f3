// Shows the collector that the input is the one whose results it has: the hashes of what was read,
// in order, until it says that it has compared enough. Pure; owned by the producer's loop thread.
//
// Holds the hashes of what is not compared yet and no others. What was compared once, or is not
// kept because this producer did not resume, is said as 0, "not compared": a collector that starts
// anew may ask for it again, and the input is still the same.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "proto/instant.h"
#include "proto/messages.h"

namespace fetchline {

class InputComparison {
 public:
  static constexpr std::size_t kHashes = 4096;         // of a message
  static constexpr std::size_t kAhead = 16 * kHashes;  // sent beyond what is compared
  static constexpr std::chrono::seconds kAgainAfter{1};

  explicit InputComparison(bool keeps) : keeps_(keeps) {}

  void add(std::uint64_t hash);  // of the next task of the input
  void keep_no_more();           // the rest of the input is not compared

  // What the collector said last: below `compared` all is equal, from `compare_to` on nothing is
  // asked.
  void on_state(Index compared, Index compare_to, Instant now);
  [[nodiscard]] bool over() const { return compared_ >= compare_to_; }
  [[nodiscard]] Index compare_to() const { return compare_to_; }

  // Whether a further hash is wanted now.
  [[nodiscard]] bool wants_more() const {
    return read_ < compare_to_ && hashes_.size() < kAhead + kHashes;
  }
  // The next message, if it is time for one.
  [[nodiscard]] std::optional<Recap> next(Instant now);

 private:
  [[nodiscard]] std::uint64_t hash_of(Index index) const;

  bool keeps_;
  Index read_ = 0;                    // tasks of the input
  std::deque<std::uint64_t> hashes_;  // of the last of them, up to read_
  Index compared_ = 0;
  Index compare_to_ = 0;
  Index next_ = 0;         // to be sent
  Instant progress_at_{};  // something was compared, or all was said again
};

}  // namespace fetchline
