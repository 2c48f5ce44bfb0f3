// The port of a role that binds: who may come in, and say what. Owned by the role's thread.
//
// With keys every connection is one of CURVE, and only the roles that belong here come in; each
// message is then held against its sender's role. Without keys nobody knows who is who, which is
// for addresses of this machine only, unless that is meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "proto/complaints.h"
#include "proto/handshakes.h"
#include "proto/instant.h"
#include "proto/key_check.h"
#include "proto/keys.h"
#include "proto/permissions.h"
#include "proto/sockets.h"

namespace fetchline {

class Port {
 public:
  // --bind, or --listen of a chain. Throws EndpointError; KeyError when keys would keep nobody out.
  Port(zmq::context_t& context, const std::string& endpoint, const Keys& keys,
       Link link = Link::stage);
  // The same without binding. Throws EndpointError when it is no address to bind to, or others
  // could reach it without keys.
  static void check(const std::string& endpoint, const Keys& keys, Link link = Link::stage);

  void add_to(std::vector<zmq::pollitem_t>& items);  // to wait for it
  // Never blocks; empty when nothing is there.
  [[nodiscard]] std::optional<Incoming> receive();
  [[nodiscard]] SendResult send_to(const PeerId& peer, Frames& frames);

  // Once a turn: lets in and keeps out who has come.
  void tend();
  // A warning to log, if there is one; ask until there is none.
  [[nodiscard]] std::optional<std::string> next_complaint(Instant now);

  [[nodiscard]] std::uint64_t refused() const { return refused_; }   // attempts to connect
  [[nodiscard]] const std::string& shown() const { return shown_; }  // where it is bound

 private:
  [[nodiscard]] bool allowed(const Incoming& incoming) const;

  const Role role_;
  const Link link_;
  std::optional<KeyCheck> key_check_;  // with keys
  zmq::socket_t socket_;
  std::optional<Handshakes> handshakes_;
  const std::string shown_;
  Complaints complaints_;
  std::uint64_t refused_ = 0;
};

}  // namespace fetchline
