// The producer core's care for tasks that must not be requested twice: none is handed out before
// that is on record, and of what an earlier producer may have handed out it is found out who has
// it.
#include <algorithm>

#include "producer/producer_core.h"

namespace fetchline {

// What must not be requested twice is held back, and with it what is behind it, until the collector
// has on record that it may be handed out.
Index ProducerCore::limit() const {
  const auto next = ledger_.next_unrepeatable(may_begin_below_);
  return next ? std::min(dispatch_limit_, *next) : dispatch_limit_;
}

// For as much as workers have room for and no more: of what was asked for and not handed out when
// this producer dies, nobody will know that it was not.
void ProducerCore::ask_to_begin(Instant now) {
  const auto held_back = ledger_.next_unrepeatable(may_begin_below_);
  const auto next = ledger_.next_ready(dispatch_limit_);
  if (!held_back || !next || *next < *held_back || workers_.empty()) return;
  const bool is_asked = asked_below_ > may_begin_below_ && now - last_begin_ < kRepeat;
  const std::size_t least = *next == ledger_.base() ? 1 : 0;
  const Index room = std::max(least, free_capacity());
  if (is_asked || room == 0) return;
  last_begin_ = now;
  asked_below_ = std::min({*next + room, ledger_.next_index(), dispatch_limit_});
  to_collector(encode(job_, epoch_, Begin{asked_below_}));
}

std::size_t ProducerCore::free_capacity() {
  std::size_t free = 0;
  for (const WorkerSession* worker : free_workers()) {
    const std::size_t held = ledger_.leased_to(worker->id());
    if (worker->capacity() > held) free += worker->capacity() - held;
  }
  return free;
}

void ProducerCore::doubt_below(Index mark, Instant now) {
  asked_below_ = 0;
  ledger_.doubt_below(mark);
  doubts_below_ = ledger_.next_index();
  doubts_due_ = now + kDoubt;
}

// Who reports it had it.
void ProducerCore::adopt_reported(const WorkerSession& worker, Index index, Instant now) {
  IndexSet reported;
  reported.insert(index);
  ledger_.adopt(worker.id(), reported, now);
}

// What nobody has named by now has no worker that lives. One that speaks without having named what
// it holds in this epoch is waited for.
void ProducerCore::judge_doubtful(Instant now) {
  if (!ledger_.has_doubts() || more_to_hear_ || now < doubts_due_) return;
  const auto is_unheard = [](const auto& entry) { return !entry.second.said_all(); };
  if (std::any_of(workers_.begin(), workers_.end(), is_unheard)) return;
  ledger_.abandon_doubtful(doubts_below_);
  doubts_below_ = ledger_.next_index();
  doubts_due_ = now + kDoubt;
}

}  // namespace fetchline
