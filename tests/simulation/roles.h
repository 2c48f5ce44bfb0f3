// One producer and one worker of the simulated world: the core, and what is around it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tests/simulation/fuse.h"
#include "tests/simulation/world.h"

namespace fetchline {

[[nodiscard]] inline ProducerCore::Settings producer_settings(const Plan& plan,
                                                              std::size_t number) {
  ProducerCore::Settings settings;
  settings.job.bytes[0] = static_cast<std::uint8_t>(number + 1);  // each thinks of its own
  settings.resume = number > 0;
  settings.nonce = plan.seed + 1'000'000 * (number + 1);
  settings.retry.retries = plan.retries;
  settings.name = "producer:1";
  return settings;
}

struct World::SimulatedWorker {
  explicit SimulatedWorker(WorkerCore::Settings settings) : number(settings.id), core(settings) {}

  WorkerId number;
  WorkerCore core;
  std::uint64_t link = 0;  // its connections; a new number is a new routing id
  Instant heard;  // of the producer or the collector; the loop gives up when that is long ago
  bool dead = false;
  bool over = false;
  std::map<Index, std::uint32_t> running;
  Fuse fuse;

  [[nodiscard]] bool gone() const { return dead || over; }
  [[nodiscard]] PeerId peer() const {
    return "w" + std::to_string(static_cast<std::uint64_t>(number)) + "." + std::to_string(link);
  }
};

struct World::SimulatedProducer {
  SimulatedProducer(const Plan& plan, std::size_t which, std::optional<Index> other)
      : number(which), differs(other), core(producer_settings(plan, which)) {}

  std::size_t number;
  std::optional<Index> differs;  // the task that another input has in the place of ours
  ProducerCore core;
  Fuse fuse;
  std::uint64_t link = 0;  // to the collector; a new number is a new routing id
  Index lines_read = 0;
  bool input_waits = false;
  bool dead = false;
  std::optional<Instant> replaced;  // by the newest one

  [[nodiscard]] bool fenced() const { return core.phase() == ProducerCore::Phase::fenced; }
  [[nodiscard]] PeerId peer() const {
    return "p" + std::to_string(number) + "." + std::to_string(link);
  }
};

}  // namespace fetchline
