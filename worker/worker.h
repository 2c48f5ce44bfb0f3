// A worker: fetches what producers hand out and delivers it to their collectors. Stateless: what
// it holds when it dies, others fetch again.
//
// Threads: the caller's of run() is the relay, it owns the sockets and what is held; the fetchers
// run transfers. They talk through mailboxes only.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "proto/connection.h"
#include "proto/key_files.h"
#include "proto/nonsense_watch.h"
#include "proto/peer_watch.h"
#include "proto/published.h"
#include "proto/run_end.h"
#include "proto/wakeup.h"
#include "worker/command_pool.h"
#include "worker/fetcher_pool.h"
#include "worker/worker_core.h"
#include "worker/worker_status.h"

namespace fetchline {

struct WorkerOptions {
  struct Endpoints {
    std::string producer = "tcp://127.0.0.1:5555";
    std::string collector = "tcp://127.0.0.1:5556";
  };
  std::vector<Endpoints> links = {Endpoints{}};
  KeyFiles keys;
  std::uint32_t concurrency = 50;  // transfers at once, all links together
  std::uint32_t threads = 0;       // fetchers; 0: one a core
  std::size_t body_bytes = 0;      // for large bodies under way; 0: by concurrency (worker.cc)
  bool keep_alive = false;
  std::chrono::milliseconds drain_timeout{25'000};
  std::chrono::milliseconds peer_timeout{600'000};  // 0: wait for ever
  std::string name;                                 // "host:pid"
  AddressPolicy allow_net = AddressPolicy();
  CommandOptions emit;  // of --emit exec:
  // Ceilings on what a job may ask of this machine.
  std::optional<std::chrono::milliseconds> connect_timeout, max_time;
  std::optional<std::uint64_t> max_filesize_bytes;
};

// How many fetchers a worker with these options has.
[[nodiscard]] std::size_t thread_count(const WorkerOptions& options);

// Written by the relay, read by any thread, relaxed.
struct WorkerCounters {
  std::atomic<std::uint64_t> running{0};
  // Transfers that ended, retries too, without those that were given back; ok is a part of them.
  std::atomic<std::uint64_t> fetched{0}, ok{0};
  std::atomic<const std::string*> waits_for{nullptr};  // lives as long as the worker
};

class Worker {
 public:
  // Connects and starts the fetchers: throws KeyError, EndpointError, CommandError,
  // std::runtime_error.
  Worker(zmq::context_t& context, WorkerOptions options);

  // Until every job is done (with keep_alive: until stopped). `drain`: give back what is not
  // started, finish what runs, at most drain_timeout. `abort`: return now.
  RunEnd run(std::stop_token drain, std::stop_token abort);

  [[nodiscard]] const WorkerCounters& counters() const { return counters_; }
  // Any thread.
  [[nodiscard]] WorkerStatus status(std::chrono::milliseconds patience) {
    return published_.get(patience, [this] { wakeup_.notify(); });
  }

 private:
  struct Link {
    Connection producer, collector;
    Instant producer_heard{}, collector_heard{};
    PeerWatch producer_watch, collector_watch;
    bool producer_blocked = false, collector_blocked = false;  // something did not leave
    bool told_busy = false;
  };

  void wait(Instant now);
  void receive(Instant now);
  [[nodiscard]] std::size_t held_bytes() const;
  void receive_from(Connection& connection, std::size_t number, bool is_producer, Instant now);
  void send(Instant now);
  void give_orders();
  void apply_ceilings(JobSettings& settings) const;
  void apply_ceilings(Task& task) const;
  void report(Instant now);
  void watch_collector(std::size_t number, Instant now);
  void take_fetched(Fetched fetched, Instant now);
  [[nodiscard]] std::uint32_t slots_now() const;
  void note_fetched(const Result& result);
  void publish(Instant now);
  void begin_drain(Instant now);
  [[nodiscard]] std::optional<RunEnd> ended(Instant now);

  const WorkerOptions options_;
  WorkerCore core_;
  std::vector<Link> links_;
  FetcherPool fetchers_;
  std::optional<CommandPool> commands_;
  Wakeup wakeup_;
  WorkerCounters counters_;
  NonsenseWatch nonsense_;
  std::uint64_t undecoded_ = 0;  // messages
  WorkerStatus status_;          // what is counted here as it happens
  Published<WorkerStatus> published_;
  std::optional<Instant> draining_since_;
  bool cancelled_ = false;  // what ran too long after the drain began
};

}  // namespace fetchline
