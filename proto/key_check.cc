#include "proto/key_check.h"

#include <array>
#include <chrono>
#include <utility>

#include "proto/handshakes.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

// The frames of a question that matter; see rfc.zeromq.org/spec/27.
constexpr std::size_t kId = 1, kAddress = 3, kMechanism = 5, kCredentials = 6, kFrames = 7;
constexpr std::size_t kKeyBytes = 32;

std::string key_in(const zmq::message_t& credentials) {
  std::array<char, kKeyCharacters + 1> text{};
  if (credentials.size() != kKeyBytes) return {};
  zmq_z85_encode(text.data(), credentials.data<std::uint8_t>(), kKeyBytes);
  return text.data();
}

void say(zmq::socket_t& socket, const std::string& text, zmq::send_flags flags) {
  (void)socket.send(zmq::buffer(text), flags | zmq::send_flags::dontwait);
}

}  // namespace

KeyCheck::KeyCheck(zmq::context_t& context, Keys keys, Link link)
    : keys_(std::move(keys)), link_(link), questions_(bind_key_questions(context)) {}

std::uint64_t KeyCheck::answer(Complaints& complaints) {
  std::uint64_t refused = 0;
  for (Question question; receive(question);) {
    const std::string user = verdict(question, complaints);
    const std::string id = question.size() > kId ? question[kId].to_string() : "";
    if (user.empty()) ++refused;
    const std::string code = user.empty() ? "400" : "200";
    for (const std::string& frame : {std::string("1.0"), id, code, std::string(), user}) {
      say(questions_, frame, zmq::send_flags::sndmore);
    }
    say(questions_, "", zmq::send_flags::none);
  }
  return refused;
}

bool KeyCheck::receive(Question& question) {
  question.clear();
  for (bool more = true; more; more = question.back().more()) {
    zmq::message_t frame;
    if (!questions_.recv(frame, zmq::recv_flags::dontwait)) return false;
    question.push_back(std::move(frame));
  }
  return true;
}

// The role as which it comes in, which its messages then carry; empty: it does not.
std::string KeyCheck::verdict(const Question& question, Complaints& complaints) {
  const bool curve = question.size() == kFrames && question[kMechanism].to_string() == "CURVE";
  if (!curve) return {};
  const std::string key = key_in(question[kCredentials]);
  const auto role = keys_.role_of(key);
  if (role && may_connect(*role, keys_.role, link_)) return std::string(to_string(*role));
  const std::string who =
      "refused " + shown_address(question[kAddress].to_string()) + ": its key " + key;
  complaints.note(role ? who + " is a " + std::string(to_string(*role)) + "'s"
                       : who + " is not in --authorized-keys");
  return {};
}

void prove_refusal(zmq::context_t& context, const KeyPair& own,
                   const std::function<void()>& answer) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience{5};  // milliseconds, unless the machine is busy
  constexpr std::chrono::milliseconds kStep{2};
  const std::string any_port = "tcp://127.0.0.1:*";
  const zmq::socket_t port = bind_port(context, any_port, "--key", &own);
  const ClientKeys stranger{random_key_pair(), own.public_key};
  zmq::socket_t connection = connect_to(context, shown_endpoint(any_port, port), {}, &stranger);
  Handshakes handshakes(context, connection);
  for (const auto end = Clock::now() + kPatience; Clock::now() < end;) {
    answer();
    while (const auto event = handshakes.next()) {
      if (*event == Handshakes::Event::key_refused) return;
      if (*event == Handshakes::Event::made) {
        throw KeyError("--authorized-keys: a key that is not in it was let in: not starting");
      }
    }
    zmq::pollitem_t item{handshakes.socket().handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, kStep);
  }
  throw KeyError("--authorized-keys: a key that is not in it was not refused: not starting");
}

}  // namespace fetchline
