// A connection to the port of another role, for ever: libzmq makes a broken one anew, and this one
// that was refused, which libzmq gives up for good. Owned by the role's thread.
//
// With keys the other side must have one that is authorized for its role; of several each is tried
// in turn, so that keys can be replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "proto/complaints.h"
#include "proto/handshakes.h"
#include "proto/instant.h"
#include "proto/keys.h"
#include "proto/permissions.h"
#include "proto/sockets.h"

namespace fetchline {

class Connection {
 public:
  // `flag` is where the endpoint is from, "--producer"; `keys` are copied. Throws EndpointError.
  Connection(zmq::context_t& context, std::string endpoint, std::string_view flag, Role peer,
             const Keys& keys, Link link = Link::stage);
  Connection(Connection&&) = default;

  // To wait for it: another one after tend().
  [[nodiscard]] zmq::socket_t& socket() { return socket_; }
  // Never blocks; empty when nothing is there.
  [[nodiscard]] std::optional<Incoming> receive();
  [[nodiscard]] SendResult send(Frames& frames);

  // Once a turn: begins anew when it was given up.
  void tend(Instant now);
  // A warning to log, if there is one; ask until there is none.
  [[nodiscard]] std::optional<std::string> next_complaint(Instant now);

  [[nodiscard]] const std::string& whom() const { return whom_; }  // "the producer at tcp://…"

 private:
  [[nodiscard]] zmq::socket_t connected() const;
  void note(Handshakes::Event event);
  void begin_anew();

  zmq::context_t* context_;
  std::string endpoint_, flag_;
  Role own_role_, peer_;
  Link link_;
  std::string whom_;
  KeyPair own_;
  std::vector<std::string> server_keys_;  // of the peer, the one in use first; empty: plaintext
  zmq::socket_t socket_;
  std::optional<Handshakes> handshakes_;
  bool given_up_ = false;  // by libzmq, unless a next attempt is told of soon
  std::optional<Instant> given_up_at_;
  bool try_next_key_ = false;
  std::size_t broken_off_ = 0;  // handshakes in a row, until all keys were tried
  Complaints complaints_;
};

}  // namespace fetchline
