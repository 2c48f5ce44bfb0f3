// The producer: reads tasks, gives each its index, hands them to workers, and knows when every one
// of them is safe with the collector. One thread, the caller's of run(), owns its sockets and
// state.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "producer/producer_core.h"
#include "producer/producer_status.h"
#include "producer/stage_before.h"
#include "producer/task_source.h"
#include "proto/connection.h"
#include "proto/key_files.h"
#include "proto/nonsense_watch.h"
#include "proto/peer_watch.h"
#include "proto/port.h"
#include "proto/published.h"
#include "proto/run_end.h"
#include "proto/wakeup.h"

namespace fetchline {

struct ProducerOptions {
  std::string bind = "tcp://127.0.0.1:5555";
  std::string collector = "tcp://127.0.0.1:5556";
  KeyFiles keys;
  std::vector<std::string> urls;  // before what is in `input`
  std::string input;              // file, "-" for stdin, empty: only `urls`
  std::string listen;             // where the stage before connects, instead of both; empty: nobody
  std::chrono::milliseconds listen_timeout{600'000};  // for it; 0: wait for ever
  EmitRule emit;        // of records in `input` that do not say what they emit
  bool resume = false;  // take the job that the collector has
  JobSettings job;
  RetryPolicy retry;
  std::chrono::milliseconds late_logins{1'000};  // how long it stays for workers that come too late
  // Between the oldest task not put out and the newest handed out; the collector's counts too.
  Index window = kDefaultWindow;
  std::chrono::milliseconds drain_timeout{25'000};
  std::chrono::milliseconds peer_timeout{600'000};  // 0: wait for ever
  std::string name;                                 // "host:pid"
};

// Written by the producer's thread, read by any, relaxed.
struct ProducerCounters {
  std::atomic<std::uint64_t> tasks_read{0};
  std::atomic<std::uint64_t> finished{0};  // put out by the collector
  // Of those, as far as is known: of what was fetched before a resume only at the end.
  std::atomic<std::uint64_t> failed{0};
  std::atomic<bool> input_ended{false};
  std::atomic<std::uint64_t> in_flight{0};             // handed out and not finished
  std::atomic<const std::string*> waits_for{nullptr};  // lives as long as the producer
};

class Producer {
 public:
  // Opens the input and the sockets: throws InputError, KeyError, EndpointError.
  Producer(zmq::context_t& context, ProducerOptions options);

  // Until the job is done. `drain`: hand out nothing new and wait for what is out, at most
  // drain_timeout. `abort`: return now. Throws InputError when reading fails.
  RunEnd run(std::stop_token drain, std::stop_token abort);

  [[nodiscard]] const ProducerCounters& counters() const { return counters_; }
  // Any thread.
  [[nodiscard]] ProducerStatus status(std::chrono::milliseconds patience) {
    return published_.get(patience, [this] { wakeup_.notify(); });
  }

 private:
  void wait(Instant now);
  void receive(Instant now);
  void read_input();
  [[nodiscard]] bool read_more();
  void speak_to_stage_before(Instant now);
  void send(Instant now);
  void report(Instant now);
  void publish(Instant now);
  [[nodiscard]] ProducerStatus status_at(Instant now);
  [[nodiscard]] bool needs_worker() const {
    return core_.needs_workers() && core_.worker_count() == 0;
  }
  [[nodiscard]] std::optional<RunEnd> ended(Instant now);
  [[nodiscard]] std::optional<RunEnd> ended_by_peers(Instant now) const;

  const ProducerOptions options_;
  TaskSource source_;
  const Keys keys_;
  Port workers_;
  Connection collector_;
  std::optional<StageBefore> before_;
  ProducerCore core_;
  Wakeup wakeup_;
  ProducerCounters counters_;
  NonsenseWatch nonsense_;
  Published<ProducerStatus> published_;
  PeerWatch collector_watch_;
  PeerWatch worker_watch_;
  std::optional<PeerWatch> before_watch_;
  Instant finished_since_{};     // a finished job is resumed, and nobody gives its input
  std::uint64_t undecoded_ = 0;  // messages
  std::vector<zmq::pollitem_t> wait_items_;
  bool collector_blocked_ = false;  // something for it did not leave
  bool told_busy_ = false;
  std::optional<Instant> draining_since_;
  Instant last_turn_{};
  Instant deaf_until_{};
};

}  // namespace fetchline
