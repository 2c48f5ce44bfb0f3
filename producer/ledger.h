// The dispatch ledger: every task between the oldest one that is not safe and the newest one read,
// where it is, and which comes next. Pure; owned by the producer's loop thread.
//
// A task is ready, waits for its retry, is leased to a worker or two, delivered (its result is on
// the way to the collector) or committed (the collector has it). It is kept until it is committed,
// so that it can be handed out again whatever happens to the worker, unless it must not be: what
// may have been requested once too often already is abandoned, and so is what kills its workers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "producer/blame.h"
#include "producer/repetition.h"
#include "proto/ids.h"
#include "proto/index_set.h"
#include "proto/instant.h"
#include "proto/result.h"
#include "proto/task.h"

namespace fetchline {

// Who has a task, and by which of its messages.
struct Lease {
  WorkerId worker{};
  std::uint64_t message = 0;
  Instant since{};     // when it may have been started
  bool alone = false;  // it is the only one that the worker has
  Instant given{};     // when it was handed out; the ledger's own note
};

class Ledger {
 public:
  // The next task of the input. Its index is set here: it is next_index() before the call. Nothing
  // is kept of one that is known as committed.
  // A line that cannot be a task has a `fault`; it is never leased but taken by take_decided().
  void add(Task task, std::string fault = {}, Repetition repetition = Repetition::when_lost);

  [[nodiscard]] Index base() const { return base_; }  // every index below is committed
  // Of those below base(): delivered or decided as something else than ok. Of what a producer
  // before this one handed out nothing is known, so it is none of them.
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] Index next_index() const { return base_ + slots_.size(); }
  [[nodiscard]] std::size_t unsent() const { return unsent_; }  // never handed out
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }
  [[nodiscard]] std::size_t leased() const { return leased_; }  // leases of all workers together
  [[nodiscard]] std::size_t leased_to(WorkerId worker) const;
  [[nodiscard]] std::size_t waiting() const { return delayed_.size(); }

  // How many tasks could be handed out now, all with an index below `limit`; may count some that
  // were committed before they were ever handed out. None exactly when next_ready() has none.
  [[nodiscard]] std::size_t ready(Index limit) const;
  [[nodiscard]] std::optional<Index> next_ready(Index limit) const;  // the lowest of them
  // Ready too, but only for a worker that has nothing else: not in ready() nor next_ready().
  [[nodiscard]] std::optional<Index> next_suspect(Index limit) const;
  [[nodiscard]] std::size_t suspects() const { return suspects_.size(); }
  [[nodiscard]] bool holds_alone(WorkerId worker) const { return alone_.contains(worker); }
  [[nodiscard]] bool has_alone() const { return !alone_.empty(); }
  void no_longer_alone(WorkerId worker);  // its suspect has company

  // The lowest task from `from` on that must not be requested twice and is not committed.
  [[nodiscard]] std::optional<Index> next_unrepeatable(Index from) const;

  // Tasks below `mark` that must not be requested twice, also those read later, may have been
  // handed out by a producer before this one: they are doubtful, and not ready. One ends as
  // committed, as leased to who shows that it has it, or abandoned.
  void doubt_below(Index mark);
  [[nodiscard]] bool has_doubts() const { return !doubtful_.empty(); }
  // The worker had a doubtful task already when it first spoke to us.
  void adopt(WorkerId worker, const IndexSet& indices, Instant now);
  void abandon_doubtful(Index below);  // nobody has them

  // None that must not be requested twice was, or may have been, from there on.
  [[nodiscard]] Index in_doubt_below() const;
  [[nodiscard]] bool awaits_unrepeatable() const;  // one is delivered and not committed

  // What ends without any worker: a faulty line, an abandoned task.
  struct Decided {
    Task task;
    Outcome outcome = Outcome::invalid_task;
    std::uint32_t attempts = 0;
    std::string why;
  };
  [[nodiscard]] bool is_decided(Index index) const;
  // When next_ready(limit) is of this kind: what is to be delivered for it. It counts as delivered.
  [[nodiscard]] std::optional<Decided> take_decided(Index limit);

  // Hands out next_ready(limit), or next_suspect(limit), which exists.
  [[nodiscard]] const Task& lease(Index limit, const Lease& lease);
  [[nodiscard]] const Task& lease_suspect(Index limit, const Lease& lease);
  // Hands out a task that one other worker has. The first to deliver ends both leases.
  [[nodiscard]] const Task& lease_second(Index index, const Lease& lease);

  // What a worker says of a lease. False when it does not hold it (any more): then nothing changes.
  // As long as another holds the task too, retry_at() and returned() end the one lease only.
  bool delivered(WorkerId worker, Index index, Outcome outcome = Outcome::ok);
  bool retry_at(WorkerId worker, Index index, Instant due);  // its attempt number grows by one
  bool returned(WorkerId worker, Index index);
  [[nodiscard]] const Task* leased_task(WorkerId worker, Index index) const;
  [[nodiscard]] const Lease* lease_of(WorkerId worker, Index index) const;
  void not_started(WorkerId worker, const IndexSet& indices, Instant now);

  struct Held {
    const Task* task = nullptr;  // good until the next change
    Lease lease;                 // the first
    bool twice = false;
    Repetition repetition = Repetition::when_lost;
  };
  // All that is leased. Takes its time: it is for once a second.
  [[nodiscard]] std::vector<Held> held();
  // Its worker lives and does not come back to it.
  void overdue(Index index);

  // Where a task is that is read and not committed; for those who watch.
  struct Standing {
    // "ready", "waiting", "suspect", "doubtful", "running" or "delivered"
    std::string_view place;
    const Task* task = nullptr;  // good until the next change
    std::optional<Lease> lease;  // the last, of who runs or has delivered it
    std::optional<Instant> due;  // when it waits for its retry
  };
  [[nodiscard]] std::optional<Standing> standing(Index index) const;

  // The message never arrived: its leases are ready again. Unless that is `certain`, not those of
  // tasks that must not be requested twice.
  void message_lost(WorkerId worker, std::uint64_t message, bool certain = true);
  // The worker is gone: what it held and what is not committed of what it delivered is ready again.
  void worker_lost(WorkerId worker);
  // The same, and all it held and may have started, so not `queued`, may be why. What it held alone
  // certainly is when it ran `only_leased` tasks.
  void worker_died(WorkerId worker, const std::string& name, const IndexSet& queued,
                   bool only_leased = true);
  void worker_came_back(WorkerId worker);  // it did not die: nothing is to blame for it
  // It lives, and cannot say what it has: what it delivered is ready again, unless it must not be
  // requested twice and can only be waited for.
  void worker_cut_off(WorkerId worker);
  // The worker took its leave, everything it delivered is safe: what it held is ready again.
  void worker_left(WorkerId worker);

  // The collector has these; forgets them. Facts, in any order, any number of times, also about
  // tasks that are not read yet.
  void commit_below(Index watermark);
  void commit(const IndexSet& set);

  // Whether somebody who has only this may lack a result: of what is committed here, delivered, or
  // handed out, for its report may be late.
  [[nodiscard]] bool may_lack_result(Index watermark, const IndexSet& set) const;

  void release_due(Instant now);  // retries whose time has come are ready
  [[nodiscard]] std::optional<Instant> next_due() const;

 private:
  enum class Phase : std::uint8_t { ready, doubtful, delayed, leased, delivered, committed };
  struct Slot {
    Task task;
    std::string why;  // of what is decided without a worker
    Phase phase = Phase::ready;
    Outcome outcome = Outcome::ok;  // as delivered, or as decided
    Repetition repetition = Repetition::when_lost;
    bool is_listed = false;  // in listed_
    Lease lease;             // the last, or the first of two
    Instant due{};           // when delayed
  };

  [[nodiscard]] bool is_known(Index index);  // as committed, before it is read
  void add_committed();
  void skip_unready();
  [[nodiscard]] Slot* find(Index index);
  [[nodiscard]] const Slot* find(Index index) const;
  [[nodiscard]] Slot* find_leased(WorkerId worker, Index index);
  [[nodiscard]] const Lease* lease_in(const Slot& slot, WorkerId worker) const;
  [[nodiscard]] const Task& give(Slot& slot, const Lease& lease);
  void note_lease(Slot& slot, const Lease& lease);
  void count(const Lease& lease, Index index);
  void uncount(const Lease& lease);
  [[nodiscard]] bool let_go(Slot& slot, WorkerId worker);
  void end_leases(Slot& slot, Phase next);
  void unlist_ended();
  void leave_ready(Slot& slot);
  void make_ready(Slot& slot);
  void repeat(Slot& slot);
  void abandon(Slot& slot, std::string why);
  void doubt(Slot& slot);
  void commit_one(Slot& slot);
  void drop_committed();
  void remember(const IndexSet& set);

  std::deque<Slot> slots_;  // slots_[i] is index base_ + i
  Index base_ = 0;
  std::uint64_t failed_ = 0;
  Index fresh_ = 0;  // the lowest that is ready and was never handed out; next_index() if none
  std::size_t unsent_ = 0;
  std::size_t unsent_bytes_ = 0;
  std::set<Index> again_;     // ready, behind fresh_: handed out before, or doubtful
  std::set<Index> suspects_;  // ready, but only alone
  std::multimap<Instant, Index> delayed_;
  std::deque<Index> unrepeatable_;  // all that must not be requested twice, from base_ on
  Index doubted_below_ = 0;
  std::set<Index> doubtful_;

  std::size_t leased_ = 0;
  std::unordered_map<WorkerId, std::size_t> leases_;  // counts, no zeros
  std::unordered_map<WorkerId, Index> alone_;         // who holds a suspect and nothing else
  std::unordered_map<Index, Lease> seconds_;          // of tasks that two workers hold
  std::vector<Index> listed_;                         // everything leased, and some that was
  Blame blame_;

  // What is committed although it may not be read yet.
  Index known_below_ = 0;
  IndexSet known_;
};

}  // namespace fetchline
