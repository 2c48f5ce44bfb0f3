// The collector: takes results in any order, puts them out in the order of the input, and says
// when every one is there. One thread, the caller's of run(), owns its socket, state and output.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <zmq.hpp>

#include "collector/collector_core.h"
#include "collector/manifest.h"
#include "collector/record_json.h"
#include "collector/result_sink.h"
#include "proto/peer_watch.h"
#include "proto/run_end.h"
#include "proto/wakeup.h"

namespace fetchline {

enum class OutputFormat : std::uint8_t { ndjson };

struct CollectorOptions {
  std::string bind = "tcp://127.0.0.1:5556";
  std::string output = "-";  // file, or "-" for stdout
  bool overwrite = false;    // otherwise a file that exists is refused
  OutputFormat format = OutputFormat::ndjson;
  RecordOptions record;
  Index window = 100'000;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // of results that wait for their turn
  std::chrono::milliseconds drain_timeout{25'000};        // for a slow reader, when stopped
  std::chrono::milliseconds peer_timeout{600'000};        // 0: wait for ever
};

// Written by the collector's thread, read by any, relaxed.
struct CollectorCounters {
  std::atomic<std::uint64_t> records{0};  // put out
  std::atomic<std::uint64_t> ok{0};       // of them
  std::atomic<std::uint64_t> bytes{0};    // of bodies put out
  std::atomic<std::uint64_t> waiting{0};  // results that wait for their turn
  std::atomic<std::uint64_t> waiting_bytes{0};
  std::atomic<std::uint64_t> dropped_messages{0};
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  std::atomic<std::uint64_t> total{kUnknown};  // known when the input has ended
};

class Collector {
 public:
  // Binds and opens the output: throws EndpointError, OutputError.
  Collector(zmq::context_t& context, CollectorOptions options);

  // Until every record is out and everybody knows. `drain`: put out what can go, at most
  // drain_timeout. `abort`: return now. Throws OutputError when the output cannot be written.
  RunEnd run(std::stop_token drain, std::stop_token abort);

  [[nodiscard]] const CollectorCounters& counters() const { return counters_; }

 private:
  void wait();
  void receive(Instant now);
  void put_out(Instant now);
  void flush(Instant now);
  void try_disk(Instant now, const std::function<void()>& write);
  void finish(Instant now);
  void send();
  void report(Instant now);
  [[nodiscard]] std::optional<RunEnd> ended(Instant now) const;

  const CollectorOptions options_;
  zmq::socket_t port_;
  std::unique_ptr<ResultSink> sink_;
  CollectorCore core_;
  Wakeup wakeup_;
  CollectorCounters counters_;
  PeerWatch producer_watch_;
  Manifest manifest_;
  std::optional<Instant> disk_full_since_;
  Instant last_disk_try_{};
  std::optional<Instant> draining_since_;
};

}  // namespace fetchline
