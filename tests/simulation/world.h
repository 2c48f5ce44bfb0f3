// Producer, workers and collector of one job in one thread, with a simulated network, clock and
// fetchers between them. Checks what must hold at every step and at the end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collector/collector_core.h"
#include "producer/producer_core.h"
#include "tests/simulation/network.h"
#include "tests/simulation/plan.h"
#include "worker/worker_core.h"

namespace fetchline {

class World {
 public:
  explicit World(const Plan& plan);
  ~World();

  void run();  // failures are GoogleTest failures

  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t repeated = 0;  // for indices that were already delivered
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct SimulatedWorker;

  void read_input();
  void turn_producer();
  void turn_collector();
  void turn_worker(SimulatedWorker& worker);
  void fetch(SimulatedWorker& worker, const Fetch& order);
  void send_results(SimulatedWorker& worker);
  void to_producer(const PeerId& from, Frames frames);
  void to_collector(const PeerId& from, Frames frames);
  void put_out();
  void tick();
  void add_worker();
  void schedule_faults();
  void one_fault();
  [[nodiscard]] bool everybody_is_over() const;
  void check_output() const;
  [[nodiscard]] std::string describe_workers() const;

  const Plan& plan_;
  Network network_;
  ProducerCore producer_;
  CollectorCore collector_;
  std::vector<std::unique_ptr<SimulatedWorker>> workers_;  // of all times; the dead stay
  std::vector<Result> output_;
  std::uint64_t producer_link_ = 0;  // which connection of the producer to the collector it is
  bool collector_over_ = false;
  Index lines_read_ = 0;
  bool input_waits_ = false;
  Counts counts_;
};

}  // namespace fetchline
