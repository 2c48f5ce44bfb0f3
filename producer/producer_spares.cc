// The producer core's care for tasks that do not end well where they are: suspects run alone, and
// what takes too long is given to a second worker.
#include <algorithm>

#include "producer/producer_core.h"

namespace fetchline {

// A task beside which two workers died already runs where nothing else does: if that worker dies
// too, it is known why, and nobody else has come to harm.
void ProducerCore::dispatch_suspects(Instant now) {
  if (ledger_.suspects() == 0 && emptying_.empty()) return;
  end_needless_quarantine();
  while (const auto suspect = ledger_.next_suspect(dispatch_limit_)) {
    WorkerSession* host = host_for_suspect(*suspect, now);
    if (host == nullptr) break;
    emptying_.erase(host->id());
    Tasks message = next_message_to(*host, now);
    const bool alone = ledger_.leased_to(host->id()) == 0;
    const Lease lease{host->id(), message.seq, now, alone};
    put(message, ledger_.lease_suspect(dispatch_limit_, lease));
    to_worker(host->peer(), encode(job_, epoch_, message));
  }
  empty_workers_for_suspects();
}

// Whose connection is closed is lost sooner.
void ProducerCore::probe_suspected_dead(Instant now) {
  for (auto& [id, worker] : workers_) {
    if (!ledger_.holds_alone(id) || !worker.take_probe_due(now)) continue;
    Tasks message;
    message.reports_seen = worker.reports_seen();
    to_worker(worker.peer(), encode(job_, epoch_, message));
  }
}

void ProducerCore::end_needless_quarantine() {
  std::erase_if(emptying_, [this](WorkerId id) {
    const auto at = workers_.find(id);
    return at == workers_.end() || at->second.slots() == 0 ||
           !ledger_.next_suspect(dispatch_limit_);
  });
}

// Half of the workers, no more, serve suspects: the others go on.
bool ProducerCore::may_quarantine_more() const {
  std::size_t able = 0, quarantined = 0;
  for (const auto& [id, worker] : workers_) {
    if (worker.draining()) continue;
    ++able;
    if (ledger_.holds_alone(id) || emptying_.contains(id)) ++quarantined;
  }
  return 2 * quarantined < able;
}

// A worker without leases. One that has no room would not start a suspect, so it gets none; but a
// suspect at the head makes the room that everybody may be waiting for, and goes out in any case.
// One that is quiet may be dead already, and then its death would be held against the suspect: it
// will speak soon or be lost.
WorkerSession* ProducerCore::host_for_suspect(Index suspect, Instant now) {
  const bool is_head = suspect == ledger_.base();
  const bool more = is_head || may_quarantine_more();
  WorkerSession* crowded = nullptr;
  bool room_somewhere = false;
  for (auto& [id, worker] : workers_) {
    if (worker.draining() || worker.quiet(now)) continue;
    const bool has_room = worker.slots() > 0;
    const bool may_serve = more || emptying_.contains(id);
    if (ledger_.leased_to(id) == 0 && may_serve && (has_room || is_head)) return &worker;
    room_somewhere |= has_room;
    crowded = &worker;
  }
  return is_head && !room_somewhere ? crowded : nullptr;
}

void ProducerCore::empty_workers_for_suspects() {
  for (const WorkerSession* worker : free_workers()) {
    if (emptying_.size() >= ledger_.suspects() || !may_quarantine_more()) return;
    if (worker->slots() > 0) emptying_.insert(worker->id());
  }
}

void ProducerCore::look_over_leases(Instant now) {
  if (more_to_hear_ || ledger_.leased() == 0 || now - last_look_ < kLook) return;
  last_look_ = now;
  lend_overdue(ledger_.held(), now);
  lend_slow(ledger_.held(), now);
}

// Its worker lives, but has lost it, or hangs in it. Counted only for workers that tell what waits
// in their queues.
bool ProducerCore::is_overdue(const Ledger::Held& held, Instant now) const {
  const auto own = held.task->max_time;
  const auto limit = own.count() > 0 ? own : settings_.job_settings.max_time;
  const auto worker = workers_.find(held.lease.worker);
  if (limit.count() == 0 || worker == workers_.end()) return false;
  return worker->second.tells_what_it_queues() && now - held.lease.since >= limit + kGrace;
}

void ProducerCore::lend_overdue(const std::vector<Ledger::Held>& held, Instant now) {
  for (const Ledger::Held& each : held) {
    if (each.twice || each.task->index >= dispatch_limit_ || !is_overdue(each, now)) continue;
    const Index index = each.task->index;
    if (each.repetition == Repetition::never || each.lease.alone) {
      ledger_.overdue(index);
    } else if (WorkerSession* other = idle_worker_but(each.lease.worker, true)) {
      lend(index, *other, now);
    }
  }
}

// In the tail of the job, when idle slots have nothing better to do, every slow task; before, the
// head, which holds back the order. Slow is also what waits: behind transfers that hang, as they do
// when its worker was cut off and came back, it may wait as long as they may take. The head is to
// be taken out of a queue even where nobody is idle: who gets it begins it next.
void ProducerCore::lend_slow(std::vector<Ledger::Held> held, Instant now) {
  const bool all_busy = ledger_.ready(dispatch_limit_) > 0;
  const Duration slow = std::max<Duration>(kSlowness * pace_.median(), kSlowest);
  const bool in_tail = input_ended_ && ledger_.unsent() == 0;
  const Index head = ledger_.base();
  std::erase_if(held, [&](const Ledger::Held& each) {
    const bool is_head = each.task->index == head;
    const bool wanted = all_busy ? is_head && is_queued(each) : in_tail || is_head;
    return !wanted || each.twice || each.lease.alone || each.repetition != Repetition::any_time ||
           each.task->index >= dispatch_limit_ || now - each.lease.given < slow;
  });
  std::sort(held.begin(), held.end(), [head](const auto& a, const auto& b) {
    const bool a_is_head = a.task->index == head, b_is_head = b.task->index == head;
    return a_is_head != b_is_head ? a_is_head : a.lease.since < b.lease.since;
  });
  for (const Ledger::Held& each : held) {
    const bool is_head = each.task->index == head;
    if (spares_ >= std::max(begun_ / kSpareShare, is_head ? kSpareHeads : 0)) return;
    WorkerSession* other = idle_worker_but(each.lease.worker, all_busy);
    if (other == nullptr) continue;
    ++spares_;
    lend(each.task->index, *other, now);
  }
}

bool ProducerCore::is_queued(const Ledger::Held& held) const {
  const auto worker = workers_.find(held.lease.worker);
  return worker != workers_.end() && worker->second.queued().contains(held.task->index);
}

WorkerSession* ProducerCore::idle_worker_but(WorkerId holder, bool even_when_busy) {
  WorkerSession* best = nullptr;
  std::size_t least = 0;
  for (auto& [id, worker] : workers_) {
    if (id == holder || !is_free(worker)) continue;
    const std::size_t leased = ledger_.leased_to(id);
    const bool may = even_when_busy || leased < worker.slots();
    if (!may || (best != nullptr && leased >= least)) continue;
    best = &worker;
    least = leased;
  }
  return best;
}

void ProducerCore::lend(Index index, WorkerSession& worker, Instant now) {
  Tasks message = next_message_to(worker, now);
  put(message, ledger_.lease_second(index, {worker.id(), message.seq, now}));
  to_worker(worker.peer(), encode(job_, epoch_, message));
}

}  // namespace fetchline
