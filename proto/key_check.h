// Answers libzmq's question whether a key may come in (ZAP, rfc.zeromq.org/spec/27). One in a
// context, made before any port; owned by the thread of the port.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "proto/complaints.h"
#include "proto/keys.h"
#include "proto/permissions.h"

namespace fetchline {

class KeyCheck {
 public:
  // Throws EndpointError.
  KeyCheck(zmq::context_t& context, Keys keys, Link link);

  // Every question that is there; never blocks. How many were refused.
  std::uint64_t answer(Complaints& complaints);

  [[nodiscard]] zmq::socket_t& socket() { return questions_; }  // to wait for a question

 private:
  using Question = std::vector<zmq::message_t>;
  [[nodiscard]] bool receive(Question& question);
  [[nodiscard]] std::string verdict(const Question& question, Complaints& complaints);

  Keys keys_;
  const Link link_;
  zmq::socket_t questions_;
};

// Throws KeyError unless a stranger's key is refused at a port like ours, as long as `answer` is
// called again and again. For the start: CURVE without anybody to ask lets everybody in.
void prove_refusal(zmq::context_t& context, const KeyPair& own,
                   const std::function<void()>& answer);

}  // namespace fetchline
