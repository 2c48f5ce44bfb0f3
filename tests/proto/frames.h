// Looks into frames that came out of a core or a codec.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "proto/codec.h"

namespace fetchline {

inline zmq::message_t frame_of(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

inline Frames copy_of(const Frames& frames) {
  Frames copy;
  for (const zmq::message_t& frame : frames) copy.push_back(frame_of(frame.to_string_view()));
  return copy;
}

inline Received received_of(Frames frames) {
  auto decoded = decode(std::move(frames));
  if (auto* received = std::get_if<Received>(&decoded)) return std::move(*received);
  ADD_FAILURE() << to_string(std::get<DecodeError>(decoded));
  return {};
}

// The message in `frames`, which is a T.
template <class T>
T message_of(Frames frames) {
  Received received = received_of(std::move(frames));
  if (auto* message = std::get_if<T>(&received.message)) return std::move(*message);
  ADD_FAILURE() << "message number " << received.message.index() << " of the variant";
  return {};
}

inline IndexSet set_of(std::initializer_list<IndexRange> ranges) {
  IndexSet set;
  for (const IndexRange& range : ranges) set.insert(range);
  return set;
}

inline JobId job_number(std::uint8_t number) {
  JobId job;
  job.bytes.fill(number);
  return job;
}

}  // namespace fetchline
