// The whole pipeline in one process: the same three roles as in a fleet, over inproc://.
//
// Owned by main. Each role runs on a thread of its own; this class only starts them, passes stops
// on in the right order (nobody new, then what is in hand, then the output) and gathers how each
// ended.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <zmq.hpp>

#include "collector/collector.h"
#include "producer/producer.h"
#include "proto/run_end.h"
#include "worker/worker.h"

namespace fetchline {

struct PipelineOptions {
  ProducerOptions producer;
  WorkerOptions worker;
  CollectorOptions collector;
  KeyFiles keys;                                     // between this stage and others
  std::chrono::milliseconds chain_timeout{600'000};  // for those; 0: wait for ever
};

class Pipeline {
 public:
  // Opens output and input. Throws OutputError, InputError, std::runtime_error.
  explicit Pipeline(const PipelineOptions& options);

  // Until the job is done, or stopped. Throws what stopped a role.
  RunEnd run(std::stop_token drain, std::stop_token abort);

  [[nodiscard]] const ProducerCounters& producer() const { return producer_.counters(); }
  [[nodiscard]] const WorkerCounters& worker() const { return worker_.counters(); }
  [[nodiscard]] const CollectorCounters& collector() const { return collector_.counters(); }

  using Patience = std::chrono::milliseconds;
  [[nodiscard]] ProducerStatus producer_status(Patience most) { return producer_.status(most); }
  [[nodiscard]] WorkerStatus worker_status(Patience most) { return worker_.status(most); }
  [[nodiscard]] CollectorStatus collector_status(Patience most) { return collector_.status(most); }

 private:
  struct Role {
    std::stop_source drain, abort;
    std::optional<RunEnd> end;  // guarded by mutex_, as is error
    std::exception_ptr error;
    std::thread thread;

    [[nodiscard]] bool over() const { return end.has_value() || error != nullptr; }
  };
  using Body = std::function<RunEnd(std::stop_token, std::stop_token)>;
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point kForEver = Clock::time_point::max();

  void start(Role& role, Body body);
  void finish(Role& role, std::optional<RunEnd> end, std::exception_ptr error);
  bool wait(std::unique_lock<std::mutex>& lock, Clock::time_point end,
            const std::function<bool()>& condition);
  // True when what is still fetched has nowhere to go.
  bool wait_for_first_end();
  void begin_drain();
  void end_drain();
  void wait_for_next_stage();
  void wait_for_farewell();
  void wait_for_all();
  void stop_all();
  [[nodiscard]] bool producer_gave_up() const;
  void rethrow_first_error() const;

  const std::chrono::milliseconds drain_timeout_;  // of all roles together
  const bool listens_;                             // to a stage before
  zmq::context_t context_;
  Producer producer_;  // first: an input that cannot be read must not cost an old output
  Collector collector_;
  Worker worker_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Clock::time_point> drain_end_;  // guarded by mutex_
  Role collecting_, producing_, working_;
};

}  // namespace fetchline
