#include "proto/port.h"

#include <arpa/inet.h>

#include <array>
#include <variant>

namespace fetchline {
namespace {

std::string flag_of(Link link) { return link == Link::chain ? "--listen" : "--bind"; }

bool needs_no_keys(const std::string& endpoint) { return endpoint.starts_with("inproc://"); }

// libzmq would take the name of a network interface too, and bind to whichever of its addresses it
// finds first; what a port is open to is to be seen. Names of machines it does not look up.
void check_host(const std::string& endpoint, const std::string& flag) {
  constexpr std::string_view kTcp = "tcp://";
  std::string host = endpoint.substr(kTcp.size(), endpoint.rfind(':') - kTcp.size());
  const std::string given = host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // the zone of a link-local one
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool is_address = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                          inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (host == "*" || is_address) return;
  throw EndpointError(flag + ": cannot bind " + endpoint + ": \"" + given +
                      "\" is no IP address; give one of this machine's, such as 127.0.0.1, or * "
                      "for all of them");
}

std::optional<KeyCheck> checked_keys(zmq::context_t& context, const std::string& endpoint,
                                     const Keys& keys, Link link) {
  Port::check(endpoint, keys, link);
  if (keys.empty() || needs_no_keys(endpoint)) return std::nullopt;
  std::optional<KeyCheck> check(std::in_place, context, keys, link);
  prove_refusal(context, keys.own, [&check] {
    Complaints unsaid;
    check->answer(unsaid);
  });
  return check;
}

}  // namespace

Port::Port(zmq::context_t& context, const std::string& endpoint, const Keys& keys, Link link)
    : role_(keys.role),
      link_(link),
      key_check_(checked_keys(context, endpoint, keys, link)),
      socket_(bind_port(context, endpoint, flag_of(link), key_check_ ? &keys.own : nullptr)),
      shown_(shown_endpoint(endpoint, socket_)) {
  if (key_check_) handshakes_.emplace(context, socket_);
  if (key_check_ || is_of_this_machine(endpoint)) return;
  complaints_.note("--insecure-plaintext: whoever reaches " + shown_ +
                   " can read, change and end the job");
}

void Port::check(const std::string& endpoint, const Keys& keys, Link link) {
  const std::string flag = flag_of(link);
  const bool is_tcp = endpoint.starts_with("tcp://");
  const bool has_scheme = endpoint.find("://") != std::string::npos;
  if (is_tcp) {
    check_endpoint(endpoint, flag);
    check_host(endpoint, flag);
  }
  if (is_of_this_machine(endpoint) || !has_scheme)
    return;  // an endpoint that is none is said below
  if (!is_tcp)
    throw EndpointError(flag + ": cannot bind " + endpoint + ": neither tcp:// nor ipc://");
  if (!keys.empty() || keys.insecure_plaintext) return;
  throw EndpointError(flag + ": " + endpoint +
                      " is open to other machines: give --key and --authorized-keys (`fetchline "
                      "keygen` makes them), or --insecure-plaintext if whoever reaches it may do "
                      "anything");
}

void Port::add_to(std::vector<zmq::pollitem_t>& items) {
  items.push_back({socket_.handle(), 0, ZMQ_POLLIN, 0});
  if (key_check_) items.push_back({key_check_->socket().handle(), 0, ZMQ_POLLIN, 0});
}

std::optional<Incoming> Port::receive() {
  auto incoming = receive_from_port(socket_);
  if (incoming && !allowed(*incoming)) incoming->content = DecodeError::not_allowed;
  return incoming;
}

bool Port::allowed(const Incoming& incoming) const {
  const auto* received = std::get_if<Received>(&incoming.content);
  if (!key_check_ || received == nullptr) return true;
  const auto sender = parse_role(incoming.user);
  return sender && may_send(*sender, role_, received->message, link_);
}

SendResult Port::send_to(const PeerId& peer, Frames& frames) {
  return fetchline::send_to(socket_, peer, frames);
}

void Port::tend() {
  if (!key_check_) return;
  refused_ += key_check_->answer(complaints_);
  while (const auto event = handshakes_->next()) {
    if (*event != Handshakes::Event::mismatch && *event != Handshakes::Event::nonsense) continue;
    ++refused_;
    complaints_.note(
        *event == Handshakes::Event::mismatch
            ? "refused somebody at " + shown_ + " who has no key"
            : "refused somebody at " + shown_ +
                  " who speaks something else, or takes this for one with another key");
  }
}

std::optional<std::string> Port::next_complaint(Instant now) { return complaints_.next(now); }

}  // namespace fetchline
