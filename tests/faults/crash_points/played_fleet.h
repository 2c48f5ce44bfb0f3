// A producer and a worker, played by hand, that give a collector a job of two hundred results in
// an order that needs its journal: whole blocks come before their first result does. They forget
// what is acknowledged, as real ones do, and outlive the collector.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "proto/codec.h"
#include "proto/instant.h"
#include "proto/messages.h"
#include "tests/integration/program.h"

namespace fetchline {

class PlayedFleet {
 public:
  explicit PlayedFleet(std::uint16_t port);

  enum class Producer {
    lives,    // the one that was there before
    resumes,  // a new process, which shows what it reads
  };
  // Until the collector ends. Fails the test when that takes too long, or when a collector that
  // was there before has lost what was acknowledged.
  void play(RunningProgram& collector, Producer producer);
  // The same, but until so many results are acknowledged.
  void play_until(RunningProgram& collector, std::size_t acknowledged);

  [[nodiscard]] const std::set<Index>& acknowledged() const { return acknowledged_; }
  [[nodiscard]] static std::string expected_output();

 private:
  void meet(RunningProgram& collector, Producer producer);
  void turn();
  void receive();
  void on_state(const Received& received, const State& state);
  void speak();
  void send_results(const std::vector<Index>& indices);
  template <class Message>
  void say(const Message& message);

  const std::uint16_t port_;
  zmq::context_t context_;
  zmq::socket_t producer_, worker_;
  std::uint64_t nonce_ = 1;
  bool resumes_ = false;  // was started to
  JobId job_;
  Epoch epoch_{};
  std::optional<State> state_;  // the collector's last, of this process
  bool done_ = false;
  Instant spoke_{};
  std::set<Index> acknowledged_;
  std::size_t sent_step_ = 0;
  Instant sent_at_{};
};

}  // namespace fetchline
