// The next stage of a chain as this one sees it: a thread of its own reads the records back and
// sends their lines, so that the collector's loop waits neither for the disk nor for the network.
//
// Owned by the collector, which says what is safe and asks how it stands; the rest is the thread's.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "collector/emitted_lines.h"
#include "collector/next_stage_core.h"
#include "proto/connection.h"
#include "proto/nonsense_watch.h"
#include "proto/peer_watch.h"
#include "proto/wakeup.h"

namespace fetchline {

// How it stands: a value.
struct NextStageStanding {
  Index wanted_record = 0;  // every record before it is taken
  std::uint64_t lines_taken = 0;
  std::optional<std::uint64_t> lines_total;
  bool is_there = false;
  bool is_busy = false;            // it takes another sender's lines
  std::optional<JobId> other_job;  // that it takes the lines of, for ever
  bool timed_out = false;          // it did not come
  bool over = false;               // it needs no more
  std::uint64_t dropped_messages = 0;
};

class NextStage {
 public:
  // Connects, and begins. `timeout` zero: waits for ever. `owner` is notified when something
  // changed, and lives longer. Throws EndpointError.
  NextStage(const std::string& endpoint, const Keys& keys, std::chrono::milliseconds timeout,
            RecordFile records, Wakeup& owner);
  ~NextStage();
  NextStage(const NextStage&) = delete;
  NextStage& operator=(const NextStage&) = delete;

  void set_stage(const NextStageCore::Stage& stage);
  void leave();  // it is over, and that cannot be forgotten any more
  // Throws what ended the thread: OutputError, DamagedError, ResumeMismatch.
  [[nodiscard]] NextStageStanding standing() const;
  [[nodiscard]] const std::string& whom() const { return watch_.whom(); }

 private:
  void run(const std::stop_token& stop);
  void receive(Instant now);
  void read();
  void send(Instant now);
  void report(Instant now);

  zmq::context_t context_;
  Connection connection_;
  EmittedLines records_;
  NextStageCore core_;
  PeerWatch watch_;
  NonsenseWatch nonsense_;
  std::uint64_t undecoded_ = 0;
  bool told_busy_ = false;
  Wakeup& owner_;
  Wakeup wakeup_;

  mutable std::mutex mutex_;
  NextStageCore::Stage stage_;  // guarded by mutex_, as are those below
  bool leaving_ = false;
  NextStageStanding standing_;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses all of them
};

}  // namespace fetchline
