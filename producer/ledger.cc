#include "producer/ledger.h"

#include <algorithm>
#include <utility>

namespace fetchline {

void Ledger::add(Task task, std::string fault, Repetition repetition) {
  task.index = next_index();
  if (is_known(task.index)) return add_committed();
  ++unsent_;
  unsent_bytes_ += task.memory_bytes();
  Slot& slot = slots_.emplace_back();
  slot.task = std::move(task);
  slot.why = std::move(fault);
  if (!slot.why.empty()) slot.outcome = Outcome::invalid_task;
  slot.repetition = repetition;
  if (repetition != Repetition::never || !slot.why.empty()) return;
  unrepeatable_.push_back(slot.task.index);
  if (slot.task.index < doubted_below_) doubt(slot);
}

bool Ledger::is_known(Index index) {
  if (index < known_below_) return true;
  if (!known_.empty() && known_.ranges().back().last < index) known_.clear();
  return known_.contains(index);
}

void Ledger::add_committed() {
  if (slots_.empty()) {
    fresh_ = ++base_;
    return;
  }
  const Index index = next_index();
  Slot& slot = slots_.emplace_back();
  slot.task.index = index;
  slot.phase = Phase::committed;
  skip_unready();
}

void Ledger::skip_unready() {
  fresh_ = std::max(fresh_, base_);
  while (fresh_ < next_index() && find(fresh_)->phase != Phase::ready) ++fresh_;
}

std::size_t Ledger::leased_to(WorkerId worker) const {
  const auto at = leases_.find(worker);
  return at == leases_.end() ? 0 : at->second;
}

std::size_t Ledger::ready(Index limit) const {
  auto again = again_.size();
  if (limit < fresh_) {
    again = static_cast<std::size_t>(std::distance(again_.begin(), again_.lower_bound(limit)));
  }
  const Index end = std::min(limit, next_index());
  return again + (end > fresh_ ? end - fresh_ : 0);
}

std::optional<Index> Ledger::next_ready(Index limit) const {
  if (!again_.empty()) {
    if (*again_.begin() < limit) return *again_.begin();
    return std::nullopt;
  }
  if (fresh_ < std::min(limit, next_index())) return fresh_;
  return std::nullopt;
}

std::optional<Index> Ledger::next_suspect(Index limit) const {
  if (suspects_.empty() || *suspects_.begin() >= limit) return std::nullopt;
  return *suspects_.begin();
}

bool Ledger::is_decided(Index index) const {
  const Slot* slot = find(index);
  return slot != nullptr && !slot->why.empty();
}

std::optional<Ledger::Decided> Ledger::take_decided(Index limit) {
  const std::optional<Index> index = next_ready(limit);
  if (!index || !is_decided(*index)) return std::nullopt;
  Slot& slot = *find(*index);
  leave_ready(slot);
  slot.phase = Phase::delivered;
  slot.lease = {};
  Decided decided{slot.task, slot.outcome, 0, slot.why};
  if (slot.outcome == Outcome::abandoned) {
    const auto deaths = static_cast<std::uint32_t>(blame_.deaths(*index));
    decided.attempts = slot.task.attempt - 1 + std::max(1U, deaths);
  }
  return decided;
}

const Task& Ledger::lease(Index limit, const Lease& lease) {
  return give(*find(*next_ready(limit)), lease);
}

const Task& Ledger::lease_suspect(Index limit, const Lease& lease) {
  return give(*find(*next_suspect(limit)), lease);
}

const Task& Ledger::lease_second(Index index, const Lease& lease) {
  seconds_.emplace(index, lease);
  count(lease, index);
  return find(index)->task;
}

const Task& Ledger::give(Slot& slot, const Lease& lease) {
  leave_ready(slot);
  note_lease(slot, lease);
  return slot.task;
}

void Ledger::note_lease(Slot& slot, const Lease& lease) {
  slot.phase = Phase::leased;
  slot.lease = lease;
  slot.lease.given = lease.since;
  count(lease, slot.task.index);
  if (listed_.size() > 4096 + 2 * leased_) unlist_ended();
  if (!std::exchange(slot.is_listed, true)) listed_.push_back(slot.task.index);
}

void Ledger::count(const Lease& lease, Index index) {
  ++leases_[lease.worker];
  ++leased_;
  if (lease.alone) alone_[lease.worker] = index;
}

void Ledger::uncount(const Lease& lease) {
  const auto count = leases_.find(lease.worker);
  if (--count->second == 0) leases_.erase(count);
  --leased_;
  if (lease.alone) alone_.erase(lease.worker);
}

void Ledger::no_longer_alone(WorkerId worker) {
  const auto at = alone_.find(worker);
  if (at == alone_.end()) return;
  find(at->second)->lease.alone = false;
  alone_.erase(at);
}

void Ledger::leave_ready(Slot& slot) {
  const Index index = slot.task.index;
  if (index < fresh_) {
    if (again_.erase(index) == 0) suspects_.erase(index);
    return;
  }
  --unsent_;
  unsent_bytes_ -= slot.task.memory_bytes();
  if (index != fresh_) return;
  ++fresh_;
  skip_unready();
}

Ledger::Slot* Ledger::find(Index index) {
  if (index < base_ || index >= next_index()) return nullptr;
  return &slots_[index - base_];
}

const Ledger::Slot* Ledger::find(Index index) const {
  if (index < base_ || index >= next_index()) return nullptr;
  return &slots_[index - base_];
}

Ledger::Slot* Ledger::find_leased(WorkerId worker, Index index) {
  Slot* slot = find(index);
  return slot != nullptr && lease_in(*slot, worker) != nullptr ? slot : nullptr;
}

const Lease* Ledger::lease_in(const Slot& slot, WorkerId worker) const {
  if (slot.phase != Phase::leased) return nullptr;
  if (slot.lease.worker == worker) return &slot.lease;
  if (seconds_.empty()) return nullptr;
  const auto second = seconds_.find(slot.task.index);
  return second != seconds_.end() && second->second.worker == worker ? &second->second : nullptr;
}

const Lease* Ledger::lease_of(WorkerId worker, Index index) const {
  const Slot* slot = find(index);
  return slot == nullptr ? nullptr : lease_in(*slot, worker);
}

const Task* Ledger::leased_task(WorkerId worker, Index index) const {
  return lease_of(worker, index) == nullptr ? nullptr : &find(index)->task;
}

void Ledger::not_started(WorkerId worker, const IndexSet& indices, Instant now) {
  for (const IndexRange& range : indices.ranges()) {
    const Index end = std::min(range.last + 1, next_index());
    for (Index index = std::max(range.first, base_); index < end; ++index) {
      Slot& slot = *find(index);
      if (slot.phase == Phase::leased && slot.lease.worker == worker) slot.lease.since = now;
    }
  }
}

std::vector<Ledger::Held> Ledger::held() {
  unlist_ended();
  std::vector<Held> all;
  all.reserve(listed_.size());
  for (const Index index : listed_) {
    const Slot& slot = *find(index);
    all.push_back({&slot.task, slot.lease, seconds_.contains(index), slot.repetition});
  }
  return all;
}

std::optional<Ledger::Standing> Ledger::standing(Index index) const {
  const Slot* slot = find(index);
  if (slot == nullptr) return std::nullopt;
  Standing standing{.place = {}, .task = &slot->task, .lease = {}, .due = {}};
  switch (slot->phase) {
    case Phase::ready:
      standing.place = suspects_.contains(index) ? "suspect" : "ready";
      break;
    case Phase::doubtful:
      standing.place = "doubtful";
      break;
    case Phase::delayed:
      standing.place = "waiting";
      standing.due = slot->due;
      break;
    case Phase::leased:
      standing.place = "running";
      standing.lease = slot->lease;
      break;
    case Phase::delivered:
      standing.place = "delivered";
      standing.lease = slot->lease;
      break;
    case Phase::committed:
      return std::nullopt;
  }
  return standing;
}

void Ledger::unlist_ended() {
  std::erase_if(listed_, [this](Index index) {
    Slot* slot = find(index);
    if (slot != nullptr) slot->is_listed = slot->phase == Phase::leased;
    return slot == nullptr || !slot->is_listed;
  });
}

// Ends what `worker` holds of it. True when nobody else holds it: then its phase is to be set.
bool Ledger::let_go(Slot& slot, WorkerId worker) {
  const auto second = seconds_.find(slot.task.index);
  if (second == seconds_.end()) {
    uncount(slot.lease);
    return true;
  }
  if (slot.lease.worker == worker) std::swap(slot.lease, second->second);
  uncount(second->second);
  seconds_.erase(second);
  return false;
}

void Ledger::end_leases(Slot& slot, Phase next) {
  while (!let_go(slot, slot.lease.worker)) {
  }
  slot.phase = next;
}

bool Ledger::delivered(WorkerId worker, Index index, Outcome outcome) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  end_leases(*slot, Phase::delivered);
  slot->lease.worker = worker;
  slot->outcome = outcome;
  return true;
}

bool Ledger::retry_at(WorkerId worker, Index index, Instant due) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  if (!let_go(*slot, worker)) return true;
  slot->phase = Phase::delayed;
  ++slot->task.attempt;
  slot->due = due;
  delayed_.emplace(due, index);
  return true;
}

bool Ledger::returned(WorkerId worker, Index index) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  if (let_go(*slot, worker)) make_ready(*slot);
  return true;
}

void Ledger::make_ready(Slot& slot) {
  const Index index = slot.task.index;
  slot.phase = Phase::ready;
  if (index >= fresh_) {  // it was doubtful
    ++unsent_;
    unsent_bytes_ += slot.task.memory_bytes();
    return;
  }
  (slot.why.empty() && blame_.is_suspect(index) ? suspects_ : again_).insert(index);
}

void Ledger::release_due(Instant now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    Slot& slot = *find(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    make_ready(slot);
  }
}

std::optional<Instant> Ledger::next_due() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.begin()->first;
}

}  // namespace fetchline
