// The stage before in a chain as this one sees it: a port that its collector connects to, and what
// came over it. Owned by the producer's loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "producer/stage_before_core.h"
#include "proto/nonsense_watch.h"
#include "proto/port.h"

namespace fetchline {

class StageBefore {
 public:
  // Binds. Throws EndpointError, KeyError.
  StageBefore(const std::string& endpoint, const Keys& keys);

  void add_to(std::vector<zmq::pollitem_t>& items) { port_.add_to(items); }  // to wait for it
  void receive(Instant now, NonsenseWatch& nonsense);
  void send(Instant now);

  [[nodiscard]] StageBeforeCore& core() { return core_; }
  [[nodiscard]] const StageBeforeCore& core() const { return core_; }
  [[nodiscard]] Port& port() { return port_; }
  [[nodiscard]] std::uint64_t undecoded() const { return undecoded_; }  // messages

 private:
  zmq::context_t context_;  // its own: keys are asked about once in each
  Port port_;
  StageBeforeCore core_;
  std::uint64_t undecoded_ = 0;
};

}  // namespace fetchline
