// The simulated network and clock: messages are lost, repeated, late and so out of order. Frames
// travel as bytes and are decoded on arrival, as on a socket.
#pragma once

#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "proto/codec.h"
#include "proto/instant.h"
#include "tests/simulation/plan.h"

namespace fetchline {

class Network {
 public:
  explicit Network(const Plan& plan) : plan_(plan), random_(plan.seed) {}

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::uint64_t draw() { return random_(); }
  [[nodiscard]] bool chance(double share) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < share;
  }
  [[nodiscard]] std::chrono::microseconds between(int least_us, int most_us) {
    return std::chrono::microseconds(
        std::uniform_int_distribution<int>(least_us, most_us)(random_));
  }

  // Runs `action` later, in the order of time.
  void after(Duration delay, std::function<void()> action);

  // Carries a copy of the frames to `deliver`, or not, or twice, after a while.
  void carry(Frames frames, std::function<void(Received)> deliver);

  // Until the calls run out or it is `end`. False at the end.
  bool step(Instant end);
  void calm_down() { calm_ = true; }  // from now on nothing is lost, repeated or late

 private:
  struct Event {
    Instant at;
    std::uint64_t number;
    std::function<void()> action;
    bool operator<(const Event& other) const {  // the earliest on top
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  const Plan& plan_;
  std::mt19937_64 random_;
  std::priority_queue<Event> events_;
  std::uint64_t last_number_ = 0;
  Instant now_{std::chrono::hours(1)};
  bool calm_ = false;
};

}  // namespace fetchline
