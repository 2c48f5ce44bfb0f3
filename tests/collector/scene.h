// A CollectorCore among a producer and workers that are played by hand: time stands still unless a
// test moves it, and what the core says is decoded and kept by peer.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/collector_core.h"
#include "tests/proto/frames.h"

namespace fetchline {

inline constexpr std::size_t kMiB = std::size_t{1} << 20;

class Scene {
 public:
  static constexpr BootId kBoot{5};
  static constexpr std::uint64_t kNonce = 77;

  explicit Scene(Index window = 100, std::size_t memory_bytes = std::size_t{256} << 20)
      : core({.boot = kBoot, .window = window, .memory_bytes = memory_bytes}) {}
  // With a journal, which a test plays by hand, and what an earlier collector left in it.
  explicit Scene(const CollectorCore::Settings& settings,
                 const std::optional<CollectorCore::Recovered>& recovered = {})
      : core(settings, recovered) {}

  template <class T>
  void says(const PeerId& peer, const T& message, Epoch epoch = Epoch{1},
            JobId job = job_number(1)) {
    core.on_message(peer, {job, epoch, message}, now);
  }
  void open(std::uint64_t nonce = kNonce) { says("producer", Open{nonce}); }
  // A worker sends results with bodies of a size.
  void results(const PeerId& peer, std::initializer_list<Index> indices,
               std::size_t body_bytes = 0) {
    Results message;
    message.sender = worker_of(peer);
    for (const Index index : indices) {
      Result& result = message.results.emplace_back();
      result.index = index;
      result.outcome = index % 2 == 0 ? Outcome::ok : Outcome::timeout;
      result.body.assign(body_bytes, 'x');
    }
    says(peer, message);
  }
  void bye(const PeerId& peer) { says(peer, Bye{worker_of(peer)}); }
  void bye_of_producer() { says("producer", Bye{}); }

  std::vector<Index> take_all() {
    std::vector<Index> indices;
    while (auto result = core.take_next()) indices.push_back(result->index);
    return indices;
  }
  void turn(Duration later = Duration::zero()) {
    now += later;
    core.advance(now);
    collect();
  }
  void collect() {
    for (auto& outgoing : core.take_outgoing()) {
      heard_[outgoing.peer].push_back(received_of(std::move(outgoing.frames)));
    }
  }

  // The messages of a type that a peer heard since this was asked last.
  template <class T>
  std::vector<T> heard(const PeerId& peer) {
    collect();
    std::vector<T> messages;
    std::erase_if(heard_[peer], [&](const Received& received) {
      const auto* message = std::get_if<T>(&received.message);
      if (message != nullptr) messages.push_back(*message);
      if (message != nullptr) last_epoch = received.epoch;
      return message != nullptr;
    });
    return messages;
  }
  // The one message of a type.
  template <class T>
  T heard_one(const PeerId& peer) {
    auto messages = heard<T>(peer);
    EXPECT_EQ(messages.size(), 1U);
    return messages.empty() ? T{} : std::move(messages.front());
  }

  // Everything is in, taken and durable.
  void finish(Index total) {
    says("producer", End{total});
    for (Index index = 0; index < total; ++index) results("a", {index});
    (void)take_all();
    EXPECT_TRUE(core.complete());
    core.set_done(now);
  }

  CollectorCore core;
  Instant now = Instant(std::chrono::seconds(1000));
  Epoch last_epoch{};  // of the last message that heard() gave

 private:
  static WorkerId worker_of(const PeerId& peer) {
    return WorkerId{1'000U + static_cast<unsigned char>(peer.at(0))};
  }
  std::map<PeerId, std::vector<Received>> heard_;
};

}  // namespace fetchline
