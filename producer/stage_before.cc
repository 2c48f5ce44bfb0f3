#include "producer/stage_before.h"

#include "proto/sockets.h"

namespace fetchline {
namespace {

constexpr int kChainMessagesPerTurn = 64;  // so that no socket starves another

}  // namespace

StageBefore::StageBefore(const std::string& endpoint, const Keys& keys)
    : context_(make_context(1)), port_(context_, endpoint, keys, Link::chain) {}

void StageBefore::receive(Instant now, NonsenseWatch& nonsense) {
  port_.tend();
  for (int i = 0; i < kChainMessagesPerTurn; ++i) {
    const auto incoming = port_.receive();
    if (!incoming) return;
    if (const auto* received = std::get_if<Received>(&incoming->content)) {
      const auto dropped = core_.dropped_messages();
      core_.on_message(incoming->from, *received, now);
      if (core_.dropped_messages() > dropped) {
        nonsense.add(incoming->address, "no collector of the stage before can say that");
      }
    } else {
      ++undecoded_;
      nonsense.add(incoming->address, to_string(std::get<DecodeError>(incoming->content)));
    }
  }
}

void StageBefore::send(Instant now) {
  core_.advance(now);
  for (auto& outgoing : core_.take_outgoing()) {
    // What cannot be sent now is said again: it is how things stand.
    const auto result = port_.send_to(outgoing.peer, outgoing.frames);
    if (result == SendResult::unreachable) core_.unreachable(outgoing.peer);
  }
}

}  // namespace fetchline
