// The producer's side of the protocol as a state machine. Pure: messages and time go in, messages
// come out; no sockets, no clock, no threads. Owned by the producer's loop thread.
//
//   opening --State--> running --last commit, Done--> done --everybody knows--> over
//   opening --a State that wants a comparison--> comparing --compared--> running
//   comparing, running --the input differs--> other_input
//   opening, comparing, running --Refused as fenced--> fenced
//   running --a State that lacks what an earlier one had--> forgotten (another log behind it)
//
// A producer that resumes takes over the job that the collector has; nothing of the producer before
// it is known but what the collector tells: attempts are counted from 1 again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "producer/input_comparison.h"
#include "producer/ledger.h"
#include "producer/pace.h"
#include "producer/producer_status.h"
#include "producer/retry.h"
#include "producer/worker_session.h"
#include "proto/codec.h"
#include "proto/messages.h"
#include "proto/result_outbox.h"

namespace fetchline {

class ProducerCore {
 public:
  // Tasks read but not handed out yet: enough to keep a large fleet busy through one disk read,
  // little enough that a stopped job stops the reading.
  static constexpr std::size_t kReadAheadTasks = 8192;
  static constexpr std::size_t kReadAheadBytes = std::size_t{16} << 20;
  static constexpr std::chrono::seconds kRepeat{1};    // Open and End, until they are known
  static constexpr std::chrono::seconds kFarewell{5};  // at most so long for those who are silent

  // The collector has been away when it was silent for so long, and is well again when it was not
  // for so long: by then every worker that can find it has.
  static constexpr std::chrono::seconds kCollectorGap{3};
  static constexpr std::chrono::seconds kCollectorWell{5};
  // What a collector process said may arrive so long after another was heard.
  static constexpr std::chrono::seconds kLateState{10};
  static constexpr std::size_t kSilentWorkers = 4096;   // remembered, should they come back
  static constexpr std::uint64_t kMostQueued = 65'536;  // tasks in the queue of a worker

  // So long every worker that lives and can be reached has spoken, and named what it has of a
  // producer before this one.
  static constexpr std::chrono::seconds kDoubt = WorkerSession::kLease + std::chrono::seconds(1);

  // A task is given to a second worker when the first has not reported it so long after its time
  // was up, or, while slots are idle, when it takes so many times longer than others.
  static constexpr std::chrono::seconds kLook{1};  // how often leases are looked over
  static constexpr std::chrono::seconds kGrace{10};
  static constexpr int kSlowness = 3;
  static constexpr std::chrono::seconds kSlowest{5};  // nothing quicker is slow
  static constexpr std::uint64_t kSpareShare = 50;    // one of so many tasks may be run twice
  static constexpr std::uint64_t kSpareHeads = 3;     // but the head so often in any case

  enum class Phase : std::uint8_t {
    opening,
    comparing,  // hands out nothing before the input has shown to be the one of the job
    running,
    done,
    fenced,
    forgotten,
    other_input,
  };

  struct Settings {
    JobId job;                // the one that is offered
    bool resume = false;      // take the job that the collector has, if it has one
    std::uint64_t nonce = 0;  // random; also the sender of the results that the producer makes
    JobSettings job_settings;
    RetryPolicy retry;
    std::chrono::milliseconds late_logins{1'000};  // workers that come when all is done learn it
    Index window = kMaxIndex;                      // a narrower one than the collector's
    std::string name;  // "host:pid", in the records of what ends without a worker
  };
  explicit ProducerCore(Settings settings);

  // Input. While wants_input(), in order; then once end_of_input().
  [[nodiscard]] bool wants_input() const;
  void add(Task task, std::string fault = {});  // `fault`: why it is no task, but has its place
  void end_of_input();
  // The input is that of a job that was done before, which only has to be shown to the collector.
  [[nodiscard]] bool resumes_finished_job() const {
    return phase_ == Phase::comparing && finished_heard_;
  }
  // It cannot be: whoever gave it is over as well.
  void set_input_gone() {
    if (!std::exchange(input_gone_, true)) last_open_ = {};
  }
  [[nodiscard]] bool is_input_gone() const { return input_gone_; }
  [[nodiscard]] Index next_index() const { return ledger_.next_index(); }

  void on_worker_message(const PeerId& peer, Received received, Instant now);
  void on_collector_message(Received received, Instant now);
  // Whether messages of workers still wait to be heard: then nobody's silence means anything.
  void set_more_to_hear(bool more) { more_to_hear_ = more; }
  // Hands out what can be handed out and says again what is not known yet.
  void advance(Instant now, std::chrono::milliseconds wall_clock);
  void stop_dispatch() { dispatching_ = false; }  // nothing new is handed out from now on
  void leave();                 // tells everybody; for who ends before the job does
  void collector_unreached() {  // what was last said to it did not leave: say it again at once
    last_open_ = {};
    last_end_ = {};
    last_begin_ = {};
  }

  // Nothing connects it to us any more. When the job is done there is nobody to wait for then.
  void worker_unreachable(const PeerId& peer, Instant now);

  struct Outgoing {
    PeerId worker;  // empty: to the collector
    Frames frames;
  };
  [[nodiscard]] std::vector<Outgoing> take_outgoing();
  // Results for the collector, asked for until there are none; taken back when they cannot be sent.
  [[nodiscard]] std::optional<Frames> next_results(Instant now);
  void results_not_sent() { outbox_.take_back_last_batch(); }

  [[nodiscard]] Phase phase() const { return phase_; }
  enum class Difference : std::uint8_t { other_task, ends_early, goes_on };
  [[nodiscard]] Difference difference() const { return difference_; }  // of another input
  [[nodiscard]] Index other_input_at() const { return other_input_at_; }
  [[nodiscard]] bool collector_is_busy() const { return collector_busy_; }  // with another job
  [[nodiscard]] bool over(Instant now) const;  // done, and everybody who joined knows
  [[nodiscard]] bool drained() const;          // nothing handed out is unfinished
  [[nodiscard]] const OutcomeCounts& counts() const { return counts_; }  // once done
  [[nodiscard]] Index watermark() const { return watermark_; }
  // Tasks that are out, as far as is known before it is done.
  [[nodiscard]] std::uint64_t finished() const;
  [[nodiscard]] std::uint64_t failed() const;  // of them
  [[nodiscard]] std::size_t in_flight() const { return ledger_.leased(); }
  [[nodiscard]] std::size_t worker_count() const { return workers_.size(); }
  // There are tasks that are not fetched; what is, only waits to be put out.
  [[nodiscard]] bool needs_workers() const {
    const bool has_tasks = ledger_.leased() > 0 || ledger_.waiting() > 0 ||
                           ledger_.suspects() > 0 || ledger_.ready(kMaxIndex) > 0;
    return phase_ == Phase::running && has_tasks;
  }
  [[nodiscard]] Instant collector_heard() const { return collector_heard_; }
  [[nodiscard]] std::optional<Instant> next_due() const { return ledger_.next_due(); }
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }
  [[nodiscard]] std::vector<std::string> take_lost_workers();  // names, for the log
  [[nodiscard]] ProducerStatus status(Instant now);            // looks at all that is in flight

 private:
  void on_heartbeat(const PeerId& peer, const Received& received, const Heartbeat& heartbeat,
                    Instant now);
  [[nodiscard]] bool is_believable(const Heartbeat& heartbeat) const;
  void end_session_before(const Heartbeat& login);
  [[nodiscard]] WorkerSession& session_of(WorkerId worker, const PeerId& peer, Instant now);
  void on_report(const WorkerSession& worker, const Report& report, Instant now);
  void on_bye(const Bye& bye);
  [[nodiscard]] bool adopts(const Received& received) const;
  [[nodiscard]] bool collector_is_well(Instant now) const;
  void on_state(Epoch epoch, const State& state, Instant now);
  [[nodiscard]] bool is_judgeable(const State& state) const;
  [[nodiscard]] bool is_our_log(const State& state) const;
  [[nodiscard]] bool is_of_before(const State& state, Instant now) const;
  void follow(const State& state, Instant now);
  [[nodiscard]] bool survives_new_boot(const State& state) const;
  void on_refused(Epoch epoch, const Refused& refused);
  void open_after(Epoch epoch);
  void begin_epoch(Epoch epoch, Index begun_before, Instant now);
  void on_done(const Done& done, Instant now);
  [[nodiscard]] bool is_working() const;  // or about to
  void check_input_end();
  void end_as_other_input(Difference difference, Index index);
  void lose_silent_workers(Instant now);
  [[nodiscard]] bool has_task_to_hand_out();
  void deliver_decided();
  [[nodiscard]] bool may_deliver_decided() const;
  void dispatch(Instant now);
  void dispatch_ready(Instant now);
  [[nodiscard]] bool is_free(const WorkerSession& worker) const;
  [[nodiscard]] std::vector<WorkerSession*> free_workers();
  void dispatch_up_to(std::uint32_t (WorkerSession::*capacity)() const, Instant now);
  void dispatch_head(Instant now);
  void hand_out(WorkerSession& worker, std::size_t count, Instant now);
  [[nodiscard]] Tasks next_message_to(WorkerSession& worker, Instant now);
  void put(Tasks& message, const Task& task);
  void answer_logins();
  void answer_heartbeats(Instant now);

  [[nodiscard]] Index limit() const;
  void ask_to_begin(Instant now);
  [[nodiscard]] std::size_t free_capacity();
  void doubt_below(Index mark, Instant now);
  void adopt_reported(const WorkerSession& worker, Index index, Instant now);
  void judge_doubtful(Instant now);

  void dispatch_suspects(Instant now);
  void end_needless_quarantine();
  void empty_workers_for_suspects();
  void probe_suspected_dead(Instant now);
  [[nodiscard]] bool may_quarantine_more() const;
  [[nodiscard]] WorkerSession* host_for_suspect(Index suspect, Instant now);

  void look_over_leases(Instant now);
  void lend_overdue(const std::vector<Ledger::Held>& held, Instant now);
  void lend_slow(std::vector<Ledger::Held> held, Instant now);
  [[nodiscard]] bool is_overdue(const Ledger::Held& held, Instant now) const;
  [[nodiscard]] bool is_queued(const Ledger::Held& held) const;  // not begun, its worker says
  [[nodiscard]] WorkerSession* idle_worker_but(WorkerId holder, bool even_when_busy);
  void lend(Index index, WorkerSession& worker, Instant now);
  void speak_to_collector(Instant now);
  [[nodiscard]] std::vector<ProducerStatus::Worker> shown_workers(Instant now) const;
  [[nodiscard]] std::vector<ProducerStatus::Host> busiest_hosts();
  [[nodiscard]] ProducerStatus::Head head(Instant now) const;
  void to_worker(const PeerId& peer, Frames frames) {
    outgoing_.push_back({peer, std::move(frames)});
  }
  void to_collector(Frames frames) { outgoing_.push_back({{}, std::move(frames)}); }

  const Settings settings_;
  std::mt19937_64 random_;
  JobId job_;
  Phase phase_ = Phase::opening;
  Difference difference_ = Difference::other_task;
  Index other_input_at_ = 0;
  bool collector_busy_ = false;
  Epoch epoch_{};
  Epoch claimed_{};  // the same, or the one that ours is to follow
  Ledger ledger_;
  InputComparison comparison_;
  bool input_ended_ = false;
  bool input_gone_ = false;
  bool dispatching_ = true;
  bool more_to_hear_ = false;
  std::uint64_t begun_ = 0;   // tasks that were handed out, each counted once
  Index begun_below_ = 0;     // none from there on; they go out in order
  std::uint64_t spares_ = 0;  // given to idle slots while another worker ran them
  Index doubts_below_ = 0;    // of those that were read then, doubts end
  Instant doubts_due_{};      // at that time
  Pace pace_;
  Instant last_look_{};

  std::unordered_map<WorkerId, WorkerSession> workers_;  // presumed alive
  // Presumed dead. A partition may heal, and then their numbering goes on where it was.
  std::unordered_map<WorkerId, WorkerSession> silent_workers_;
  std::vector<std::string> lost_workers_;
  std::uint64_t workers_lost_ = 0;
  std::set<WorkerId> emptying_;  // get nothing, so that a suspect can run there alone

  // The collector's last word.
  BootId boot_{};
  std::uint64_t log_ = 0;
  std::optional<Instant> finished_heard_;   // a State of a finished output, which has no log
  std::map<BootId, Instant> boots_before_;  // and when another one was heard
  std::uint64_t state_seq_ = 0;
  Index watermark_ = 0;
  Index dispatch_limit_ = 0;
  Index may_begin_below_ = 0;  // of those that must not be requested twice
  std::optional<Index> total_;
  Instant collector_heard_{};
  Instant collector_back_{};  // it has been heard without a gap since then
  Instant last_open_{};
  Instant last_end_{};
  Instant last_begin_{};
  Index asked_below_ = 0;  // with the last Begin
  ResultOutbox outbox_;    // of what ends without a worker: faulty lines, abandoned tasks

  OutcomeCounts counts_{};
  Instant done_at_{};
  std::chrono::milliseconds wall_clock_{0};  // of this turn, for records
  std::vector<Outgoing> outgoing_;
  std::uint64_t dropped_ = 0;
};

}  // namespace fetchline
