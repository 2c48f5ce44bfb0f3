#include "proto/connection.h"

#include <algorithm>
#include <utility>

namespace fetchline {
namespace {

// A connection that is only broken is tried again by libzmq in a fraction of that.
constexpr std::chrono::seconds kBeginAnew{1};

}  // namespace

Connection::Connection(zmq::context_t& context, std::string endpoint, std::string_view flag,
                       Role peer, const Keys& keys, Link link)
    : context_(&context),
      endpoint_(std::move(endpoint)),
      flag_(flag),
      own_role_(keys.role),
      peer_(peer),
      link_(link),
      whom_((link == Link::chain ? "the next stage" : "the " + std::string(to_string(peer))) +
            " at " + endpoint_) {
  const bool local = endpoint_.starts_with("inproc://");
  if (!keys.empty() && !local) {
    own_ = keys.own;
    server_keys_ = keys.keys_of(peer);
  }
  socket_ = connected();
  if (!local) handshakes_.emplace(context, socket_);
  const bool meant = keys.insecure_plaintext || is_of_this_machine(endpoint_);
  if (!server_keys_.empty() || meant) return;
  complaints_.note("whoever is between here and " + whom_ +
                   " can read and change everything: without --key nothing is encrypted");
}

zmq::socket_t Connection::connected() const {
  // Apart from what else this role has: a port, or of a worker its connection to the producer.
  const bool is_first = own_role_ == Role::worker && peer_ == Role::producer;
  const IoThread thread = is_first ? IoThread::first : IoThread::second;
  if (server_keys_.empty()) return connect_to(*context_, endpoint_, flag_, nullptr, thread);
  const ClientKeys keys{own_, server_keys_.front()};
  return connect_to(*context_, endpoint_, flag_, &keys, thread);
}

std::optional<Incoming> Connection::receive() {
  auto incoming = fetchline::receive(socket_);
  const auto* received = incoming ? std::get_if<Received>(&incoming->content) : nullptr;
  if (received != nullptr && !may_send(peer_, own_role_, received->message, link_)) {
    incoming->content = DecodeError::not_allowed;
  }
  return incoming;
}

SendResult Connection::send(Frames& frames) { return fetchline::send(socket_, frames); }

void Connection::tend(Instant now) {
  if (!handshakes_) return;
  while (const auto event = handshakes_->next()) note(*event);
  if (try_next_key_) {
    std::rotate(server_keys_.begin(), server_keys_.begin() + 1, server_keys_.end());
    begin_anew();
  }
  if (!given_up_) {
    given_up_at_.reset();
  } else if (!given_up_at_) {
    given_up_at_ = now;
  } else if (now - *given_up_at_ >= kBeginAnew) {
    begin_anew();
  }
}

void Connection::note(Handshakes::Event event) {
  using Event = Handshakes::Event;
  const bool keys = !server_keys_.empty();
  given_up_ = event != Event::trying && event != Event::made;
  switch (event) {
    case Event::trying:
    case Event::ended:
      return;
    case Event::made:
      try_next_key_ = false;
      broken_off_ = 0;
      return;
    case Event::key_refused:
      complaints_.note(whom_ + " refuses our key: is it in its --authorized-keys, as a " +
                       std::string(to_string(own_role_)) + "'s?");
      return;
    case Event::mismatch:
      complaints_.note(whom_ + (keys ? " has no --key"
                                     : " asks for keys: give --key and "
                                       "--authorized-keys"));
      return;
    case Event::broken_off:
      try_next_key_ = ++broken_off_ < server_keys_.size();
      if (try_next_key_) return;
      broken_off_ = 0;
      if (keys)
        complaints_.note(whom_ + " breaks off the handshake: is its key in --authorized-keys?");
      return;
    case Event::nonsense:
      complaints_.note(whom_ + " speaks something else");
      return;
  }
}

void Connection::begin_anew() {
  handshakes_.reset();
  socket_ = connected();
  handshakes_.emplace(*context_, socket_);
  given_up_ = try_next_key_ = false;
  given_up_at_.reset();
}

std::optional<std::string> Connection::next_complaint(Instant now) { return complaints_.next(now); }

}  // namespace fetchline
