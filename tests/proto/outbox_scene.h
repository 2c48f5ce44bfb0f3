// A ResultOutbox as a test drives it: what goes in, what goes out, and what its collector says.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "proto/result_outbox.h"
#include "tests/proto/frames.h"
#include "tests/proto/start.h"

namespace fetchline {

using Indices = std::vector<Index>;

inline constexpr std::uint64_t kWide = std::uint64_t{1} << 40;
inline Result result(Index index, std::size_t body_bytes = 0) {
  Result made;
  made.index = index;
  made.body.assign(body_bytes, 'x');
  return made;
}

inline void add(ResultOutbox& outbox, std::initializer_list<Index> indices) {
  for (const Index index : indices) outbox.add(result(index));
}

// Which results the next message carries; empty: there is none.
inline Indices next(ResultOutbox& outbox, Instant now) {
  auto frames = outbox.next_batch(job_number(1), Epoch{3}, WorkerId{7}, now);
  if (!frames) return {};
  EXPECT_LE(frames->size(), kMaxFrames);
  const auto results = message_of<Results>(std::move(*frames));
  EXPECT_FALSE(results.results.empty());
  Indices indices;
  for (const Result& each : results.results) indices.push_back(each.index);
  return indices;
}

// Everything that may go now.
inline Indices all(ResultOutbox& outbox, Instant now) {
  Indices indices;
  for (auto batch = next(outbox, now); !batch.empty(); batch = next(outbox, now)) {
    indices.insert(indices.end(), batch.begin(), batch.end());
  }
  return indices;
}

inline Acks acks(std::uint64_t seq) {
  Acks message;
  message.boot = BootId{1};
  message.seq = seq;
  message.admit_limit = kMaxIndex;
  message.byte_window = kWide;
  return message;
}

inline Acks accepting(std::uint64_t seq, std::initializer_list<IndexRange> ranges) {
  Acks message = acks(seq);
  message.accepted = set_of(ranges);
  return message;
}

// An outbox that has heard from its collector and may send everything.
inline ResultOutbox connected(Acks message = acks(1)) {
  ResultOutbox outbox;
  outbox.on_acks(message, kStart);
  return outbox;
}

}  // namespace fetchline
