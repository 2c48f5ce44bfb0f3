// What becomes of the handshakes of one socket, as libzmq tells it. Owned by the thread and, in
// declaration order, after the socket that it watches: it must go first.
#pragma once

#include <cstdint>
#include <optional>
#include <zmq.hpp>

namespace fetchline {

class Handshakes {
 public:
  enum class Event : std::uint8_t {
    trying,       // a connection is begun, or will be
    made,         // the handshake is over, messages may flow
    ended,        // the connection is gone
    key_refused,  // both sides hear that the client's key may not come in
    mismatch,     // one side talks CURVE, the other does not
    broken_off,   // by the other side: at a client with keys, the server has another one
    nonsense,     // cannot be understood: at a port, the client takes it for one with another key
  };

  Handshakes(zmq::context_t& context, zmq::socket_t& watched);
  ~Handshakes();
  Handshakes(Handshakes&& other) noexcept;

  [[nodiscard]] std::optional<Event> next();                 // never blocks
  [[nodiscard]] zmq::socket_t& socket() { return events_; }  // to wait for one

 private:
  void* watched_;
  zmq::socket_t events_;
};

}  // namespace fetchline
