// Producer, workers and collector of one job in one thread, with a simulated network, clock and
// fetchers between them. Checks what must hold at every step and at the end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "producer/producer_core.h"
#include "tests/simulation/network.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/simulated_collector.h"
#include "worker/worker_core.h"

namespace fetchline {

class World {
 public:
  explicit World(const Plan& plan);
  ~World();

  void run();  // failures are GoogleTest failures

  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t repeated = 0;    // for indices that were already put out
    std::uint64_t duplicates = 0;  // for an attempt that was made before
    std::uint64_t wasted = 0;      // of what the producer could know to be safe
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct SimulatedWorker;
  struct SimulatedProducer;

  void read_input(SimulatedProducer& producer);
  void turn_producer(SimulatedProducer& producer);
  void replace_producer();
  void start_producer(bool same_input);
  void on_other_input(SimulatedProducer& producer);
  [[nodiscard]] bool is_dead(const PeerId& peer) const;
  void hear_at_worker(const PeerId& peer, Frames frames, bool from_producer);
  void turn_collector();
  void turn_worker(SimulatedWorker& worker);
  void fetch(SimulatedWorker& worker, const Fetch& order);
  void count(const Task& task);
  void kill(SimulatedWorker& worker);
  void work(SimulatedWorker& worker);
  void work(SimulatedProducer& producer);
  void send_results(SimulatedWorker& worker);
  void to_producer(const PeerId& from, Frames frames);
  void to_collector(const PeerId& from, Frames frames);
  void tick();
  void add_worker();
  void schedule_faults();
  [[nodiscard]] Duration time_of_fault();
  void one_fault();
  [[nodiscard]] bool is_over(const SimulatedProducer& producer) const;
  [[nodiscard]] bool everybody_is_over() const;
  void check_output() const;
  void check_record(const Result& result) const;
  [[nodiscard]] bool is_peaceful() const;
  void check_requests() const;
  void check_producers() const;
  [[nodiscard]] std::string describe_workers() const;

  const Plan& plan_;
  Network network_;
  std::vector<std::unique_ptr<SimulatedProducer>> producers_;  // of all times; the last counts
  SimulatedCollector collector_;
  std::vector<std::unique_ptr<SimulatedWorker>> workers_;  // of all times; the dead stay
  Counts counts_;
  bool lost_by_chance_ = false;                              // some worker
  std::map<std::pair<Index, std::uint32_t>, int> requests_;  // by index and attempt
};

}  // namespace fetchline
