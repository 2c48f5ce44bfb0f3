#include "tests/simulation/network.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace fetchline {
namespace {

Frames copy_of(Frames& frames) {
  Frames copy;
  for (zmq::message_t& frame : frames) copy.emplace_back(frame.data(), frame.size());
  return copy;
}

}  // namespace

void Network::after(Duration delay, std::function<void()> action) {
  events_.push({now_ + delay, ++last_number_, std::move(action)});
}

void Network::carry(Frames frames, std::function<void(Received)> deliver) {
  if (!calm_ && chance(plan_.lost)) return;
  const int copies = !calm_ && chance(plan_.repeated) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const bool late = !calm_ && chance(plan_.late);
    const auto delay = late ? between(1'000, 3'000'000) : between(50, 500);
    auto parcel = std::make_shared<Frames>(copy_of(frames));
    after(delay, [parcel, deliver] {
      auto decoded = decode(std::move(*parcel));
      auto* received = std::get_if<Received>(&decoded);
      ASSERT_NE(received, nullptr) << to_string(std::get<DecodeError>(decoded));
      deliver(std::move(*received));
    });
  }
}

bool Network::step(Instant end) {
  if (events_.empty() || events_.top().at > end) return false;
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  event.action();
  return true;
}

}  // namespace fetchline
