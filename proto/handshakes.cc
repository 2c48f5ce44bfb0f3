#include "proto/handshakes.h"

#include <zmq.h>

#include <cstring>
#include <string>
#include <utility>

#include "proto/ids.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

using Event = Handshakes::Event;

constexpr int kWatched = ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECT_RETRIED |
                         ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED |
                         ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                         ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

Event event_of(std::uint16_t number, std::uint32_t value) {
  switch (number) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      return Event::made;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return Event::key_refused;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      return value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? Event::mismatch
                                                                 : Event::nonsense;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return Event::broken_off;
    case ZMQ_EVENT_DISCONNECTED:
      return Event::ended;
    default:
      return Event::trying;
  }
}

}  // namespace

Handshakes::Handshakes(zmq::context_t& context, zmq::socket_t& watched)
    : watched_(watched.handle()) {
  const std::string endpoint = "inproc://handshakes-" + std::to_string(random_u64());
  if (zmq_socket_monitor(watched_, endpoint.c_str(), kWatched) != 0) throw zmq::error_t();
  events_ = connect_to_events(context, endpoint);
}

// First the sender: without a receiver it would block, and with it libzmq's own thread.
Handshakes::~Handshakes() {
  if (watched_ != nullptr) zmq_socket_monitor(watched_, nullptr, 0);
}

Handshakes::Handshakes(Handshakes&& other) noexcept
    : watched_(std::exchange(other.watched_, nullptr)), events_(std::move(other.events_)) {}

std::optional<Event> Handshakes::next() {
  zmq::message_t event;
  if (!events_.recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
  std::uint16_t number = 0;
  std::uint32_t value = 0;
  if (event.size() == sizeof number + sizeof value) {
    std::memcpy(&number, event.data<char>(), sizeof number);
    std::memcpy(&value, event.data<char>() + sizeof number, sizeof value);
  }
  for (zmq::message_t rest; event.more(); event.swap(rest)) {
    if (!events_.recv(rest, zmq::recv_flags::none)) break;
  }
  return event_of(number, value);
}

}  // namespace fetchline
