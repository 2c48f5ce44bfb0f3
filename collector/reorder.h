// Results that wait for their turn. Pure; owned by the collector's loop thread.
//
// A queue indexed from the watermark: one pointer a position between the oldest result not yet
// taken and the newest one held, so storing and taking are O(1) whatever the order of arrival.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "proto/index_set.h"
#include "proto/result.h"

namespace fetchline {

class ReorderBuffer {
 public:
  // `window`: positions from the watermark on that may be occupied. `memory_bytes`: what results
  // that wait may occupy together; the one at the watermark is always taken, it can leave at once.
  ReorderBuffer(Index window, std::size_t memory_bytes)
      : window_(window), memory_bytes_(memory_bytes) {}

  enum class Verdict : std::uint8_t {
    stored,
    duplicate,  // it was stored or taken before; this copy is dropped
    beyond,     // of the window: it should not have been handed out; this copy is dropped
    no_room,    // in the memory; this copy is dropped
  };
  [[nodiscard]] Verdict store(Result result);

  // The result at the watermark, which moves on; empty while that one is missing.
  [[nodiscard]] std::unique_ptr<Result> take_next();
  [[nodiscard]] bool has_next() const { return !slots_.empty() && slots_.front() != nullptr; }

  [[nodiscard]] Index watermark() const { return watermark_; }  // every index below was taken
  [[nodiscard]] Index window() const { return window_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }
  [[nodiscard]] std::size_t held() const { return held_; }
  std::size_t drop_from(Index end);  // forgets what is held from there on; how many that were
  [[nodiscard]] IndexSet indices(std::size_t max_ranges) const;  // held, lowest ranges first

 private:
  const Index window_;
  const std::size_t memory_bytes_;
  std::deque<std::unique_ptr<Result>> slots_;  // slots_[i] is index watermark_ + i
  Index watermark_ = 0;
  std::size_t held_bytes_ = 0;
  std::size_t held_ = 0;
};

}  // namespace fetchline
