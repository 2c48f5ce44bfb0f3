// ZeroMQ sockets as this protocol uses them. The only place where socket options are set; each
// option's reason is in sockets.cc. A socket belongs to one
// thread at a time; only the start or the end of a thread hands it over.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <zmq.hpp>

#include "proto/codec.h"
#include "proto/keys.h"

namespace fetchline {

// An endpoint that cannot be bound or is not one. what() names the flag, the endpoint and the
// reason.
struct EndpointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A process's context. `io_threads`: 0 is enough when every endpoint is inproc://, one is when
// there is at most one connection, or ports are bound, two when there are more.
[[nodiscard]] zmq::context_t make_context(int io_threads);

// That a tcp:// endpoint has a port, and one that there is. Throws EndpointError.
void check_endpoint(const std::string& endpoint, std::string_view flag);

// The port that others connect to (ROUTER); `keys` make it one of CURVE. `flag` is where the
// endpoint is from, "--bind". Throws EndpointError. The roles have a Port (proto/port.h).
[[nodiscard]] zmq::socket_t bind_port(zmq::context_t& context, const std::string& endpoint,
                                      std::string_view flag = {}, const KeyPair* keys = nullptr);
// What a client of CURVE must know.
struct ClientKeys {
  KeyPair own;
  std::string server;  // its public key
};
// A thread of libzmq's. It looks up the names of what it connects to, and does nothing else until
// there is an answer: for 10 s and longer when no name server answers. So a process has two, and
// who cannot be found disturbs nobody but those on the same one.
enum class IoThread : std::uint8_t { first, second };  // ports are on the first
// A connection to such a port (DEALER); reconnects by itself, unless it is refused. In a context
// with one I/O thread it is on that. Throws EndpointError. The roles have a Connection
// (proto/connection.h).
[[nodiscard]] zmq::socket_t connect_to(zmq::context_t& context, const std::string& endpoint,
                                       std::string_view flag = {}, const ClientKeys* keys = nullptr,
                                       IoThread thread = IoThread::first);
// Where libzmq asks whether a key may come in (REP), once in a context; before any port is bound.
// Throws EndpointError.
[[nodiscard]] zmq::socket_t bind_key_questions(zmq::context_t& context);
// The receiving end of what libzmq tells of a socket (PAIR).
[[nodiscard]] zmq::socket_t connect_to_events(zmq::context_t& context, const std::string& endpoint);
// Where a port is bound, as the user gave it, unless a "*" in it became something.
[[nodiscard]] std::string shown_endpoint(const std::string& given, const zmq::socket_t& port);

// A peer's IP address as people write it: one of IPv4 without "::ffff:" before it.
[[nodiscard]] std::string shown_address(std::string address);

enum class SendResult : std::uint8_t {
  sent,
  full,         // the connection takes no more now, or there is none yet
  unreachable,  // the peer is gone
};
// Never blocks. On anything but `sent` the frames are still the caller's to drop or keep.
[[nodiscard]] SendResult send_to(zmq::socket_t& port, const PeerId& peer, Frames& frames);
[[nodiscard]] SendResult send(zmq::socket_t& connection, Frames& frames);

struct Incoming {
  PeerId from;  // empty on a connection
  std::variant<Received, DecodeError> content;
  std::string user;     // at a port with keys: as what its key was let in
  std::string address;  // of the peer's machine; empty over inproc:// and on a connection
};
// Never blocks; empty when nothing is there.
[[nodiscard]] std::optional<Incoming> receive_from_port(zmq::socket_t& port);
[[nodiscard]] std::optional<Incoming> receive(zmq::socket_t& connection);

}  // namespace fetchline
