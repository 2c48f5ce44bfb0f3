// The dispatch ledger: every task between the oldest one that is not safe and the newest one read,
// where it is, and which comes next. Pure; owned by the producer's loop thread.
//
// A task is ready, waits for its retry, is leased to a worker, delivered (its result is on the way
// to the collector) or committed (the collector has it). It is kept until it is committed, so that
// it can be handed out again whatever happens to the worker.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "proto/ids.h"
#include "proto/index_set.h"
#include "proto/instant.h"
#include "proto/task.h"

namespace fetchline {

class Ledger {
 public:
  // The next task of the input. Its index is set here: it is next_index() before the call. Nothing
  // is kept of one that is known as committed.
  // A line that cannot be a task has a `fault`; it is never leased but taken by take_faulty().
  void add(Task task, std::string fault = {});

  [[nodiscard]] Index base() const { return base_; }  // every index below is committed
  [[nodiscard]] Index next_index() const { return base_ + slots_.size(); }
  [[nodiscard]] std::size_t unsent() const { return unsent_; }  // never handed out
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }
  [[nodiscard]] std::size_t leased() const { return leased_; }  // to all workers together
  [[nodiscard]] std::size_t leased_to(WorkerId worker) const;
  [[nodiscard]] std::size_t waiting() const { return delayed_.size(); }

  // How many tasks could be handed out now, all with an index below `limit`; may count some that
  // were committed before they were ever handed out. None exactly when next_ready() has none.
  [[nodiscard]] std::size_t ready(Index limit) const;
  [[nodiscard]] std::optional<Index> next_ready(Index limit) const;  // the lowest of them

  [[nodiscard]] bool is_faulty(Index index) const;

  struct Faulty {
    Task task;
    std::string fault;
  };
  // When next_ready(limit) is a faulty line: what is to be delivered for it. It counts as
  // delivered.
  [[nodiscard]] std::optional<Faulty> take_faulty(Index limit);
  // Hands out next_ready(limit), which exists, in the message numbered `message` of that worker.
  [[nodiscard]] const Task& lease(Index limit, WorkerId worker, std::uint64_t message);

  // What a worker says of a lease. False when it does not hold it (any more): then nothing changes.
  bool delivered(WorkerId worker, Index index);
  bool retry_at(WorkerId worker, Index index, Instant due);  // its attempt number grows by one
  bool returned(WorkerId worker, Index index);
  [[nodiscard]] const Task* leased_task(WorkerId worker, Index index) const;

  // The message never arrived: its leases are ready again.
  void message_lost(WorkerId worker, std::uint64_t message);
  // The worker is gone: what it held and what is not committed of what it delivered is ready again.
  void worker_lost(WorkerId worker);
  // The worker took its leave, everything it delivered is safe: what it held is ready again.
  void worker_left(WorkerId worker);

  // The collector has these; forgets them. Facts, in any order, any number of times, also about
  // tasks that are not read yet.
  void commit_below(Index watermark);
  void commit(const IndexSet& set);

  // Whether somebody who has only this lacks something that was committed here.
  [[nodiscard]] bool lacks_committed(Index watermark, const IndexSet& set) const;
  // What is delivered and not committed may be lost on its way: all of it is ready again.
  void redeliver();

  void release_due(Instant now);  // retries whose time has come are ready
  [[nodiscard]] std::optional<Instant> next_due() const;

 private:
  enum class Phase : std::uint8_t { ready, delayed, leased, delivered, committed };
  struct Slot {
    Task task;
    std::string fault;
    Phase phase = Phase::ready;
    WorkerId holder{};
    std::uint64_t message = 0;
    Instant due{};
  };

  [[nodiscard]] Slot* find(Index index);
  [[nodiscard]] const Slot* find(Index index) const;
  [[nodiscard]] Slot* find_leased(WorkerId worker, Index index);
  [[nodiscard]] bool is_known(Index index);  // as committed, before it is read
  void add_committed();
  void skip_committed();
  void leave_ready(Slot& slot);
  void end_lease(Slot& slot, Phase next);
  void make_ready(Slot& slot);
  void commit_one(Slot& slot);
  void drop_committed();
  void remember(const IndexSet& set);

  std::deque<Slot> slots_;  // slots_[i] is index base_ + i
  Index base_ = 0;
  Index fresh_ = 0;  // the lowest that was never handed out and is ready; next_index() if none
  std::set<Index> again_;  // ready, handed out before; all below fresh_
  std::multimap<Instant, Index> delayed_;
  std::unordered_map<WorkerId, std::size_t> leases_;  // counts, no zeros
  std::size_t leased_ = 0;
  std::size_t unsent_ = 0;
  std::size_t unsent_bytes_ = 0;

  // What is committed although it may not be read yet.
  Index known_below_ = 0;
  IndexSet known_;
};

}  // namespace fetchline
