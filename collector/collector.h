// The collector: takes results in any order, puts them out in the order of the input, and says
// when every one is there. One thread, the caller's of run(), owns its socket, state and output.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "collector/append_file.h"
#include "collector/collector_core.h"
#include "collector/collector_options.h"
#include "collector/collector_status.h"
#include "collector/next_stage.h"
#include "collector/stage_log.h"
#include "proto/complaints.h"
#include "proto/emitter.h"
#include "proto/nonsense_watch.h"
#include "proto/peer_watch.h"
#include "proto/port.h"
#include "proto/published.h"
#include "proto/run_end.h"
#include "proto/wakeup.h"

namespace fetchline {

// Written by the collector's thread, read by any, relaxed.
struct CollectorCounters {
  std::atomic<std::uint64_t> records{0};               // put out
  std::atomic<std::uint64_t> ok{0};                    // of them
  std::atomic<std::uint64_t> bytes{0};                 // of bodies put out
  std::atomic<const std::string*> waits_for{nullptr};  // lives as long as the collector
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  std::atomic<std::uint64_t> total{kUnknown};  // known when the input has ended
};

class Collector {
 public:
  // Binds and opens the output: throws KeyError, EndpointError, OutputError, DamagedError.
  Collector(zmq::context_t& context, CollectorOptions options);

  // Until every record is out and everybody knows. `drain`: put out what can go, at most
  // drain_timeout. `abort`: return now. Throws OutputError when the output cannot be written,
  // DamagedError when what was written cannot be read back.
  RunEnd run(std::stop_token drain, std::stop_token abort);

  // A drain is to come, when others have finished what they have in hand: unless the disk is full
  // by then, which ends run() with OutputError. Any thread.
  void expect_drain() { stopping_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] const CollectorCounters& counters() const { return counters_; }
  // Any thread.
  [[nodiscard]] CollectorStatus status(std::chrono::milliseconds patience) {
    return published_.get(patience, [this] { wakeup_.notify(); });
  }

 private:
  void discard_if_refused(const OutputError& error);
  void wait(Instant now);
  void receive(Instant now);
  void put_out(Instant now);
  void emit(Result& result);
  void flush(Instant now);
  void note_written(Instant now);
  void save(Instant now);
  void append_unsaved();
  void compare_input(Instant now);
  struct Full {
    Instant tried, told;  // last
    std::string what;     // which file, and why
  };
  using DiskFull = std::optional<Full>;  // empty: it is not
  [[nodiscard]] bool try_disk(DiskFull& full, Instant now, const std::function<void()>& write);
  [[nodiscard]] RunEnd leave(RunEnd end);
  void finish(Instant now);
  void speak_to_next_stage(Instant now);
  void send();
  void report(Instant now);
  void publish(Instant now);
  [[nodiscard]] std::optional<RunEnd> ended(Instant now) const;
  [[nodiscard]] RunEnd stopped(const std::string& why) const;
  [[nodiscard]] std::optional<RunEnd> ended_by_next_stage() const;

  const CollectorOptions options_;
  Port port_;
  StageLog log_;
  CollectorCore core_;
  std::optional<Emitter> emitter_;
  Complaints not_emitted_;
  Wakeup wakeup_;
  CollectorCounters counters_;
  NonsenseWatch nonsense_;
  Published<CollectorStatus> published_;
  PeerWatch producer_watch_;
  std::uint64_t undecoded_ = 0;  // messages
  Manifest manifest_;
  std::vector<std::pair<Index, JournalPlace>> saving_;  // appended to the journal, not committed
  std::optional<JobControl> saving_control_;
  Instant last_sync_{};
  std::vector<zmq::pollitem_t> wait_items_;
  // None makes the others wait; next_full_: what is kept for the next stage.
  DiskFull output_full_, journal_full_, manifest_full_, next_full_;
  std::optional<Instant> draining_since_;
  std::atomic<bool> stopping_{false};

  std::optional<AppendFile> scratch_;  // for a next stage, when the output cannot be read again
  std::optional<NextStage> next_;
  NextStageStanding next_standing_;
  std::optional<Instant> complete_since_;
  bool taken_marked_ = false;
  bool told_complete_ = false;  // that it waits for the next stage
};

}  // namespace fetchline
