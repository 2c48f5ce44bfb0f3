#include "producer/ledger.h"

#include <algorithm>
#include <utility>

namespace fetchline {
namespace {

Task place_of(Index index) {  // what stays of a task that is decided
  Task task;
  task.index = index;
  return task;
}

}  // namespace

void Ledger::add(Task task, std::string fault) {
  task.index = next_index();
  unsent_bytes_ += task.memory_bytes();
  Slot& slot = slots_.emplace_back();
  slot.task = std::move(task);
  slot.fault = std::move(fault);
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
  for (Index index = fresh_; index < std::min(limit, next_index()); ++index) {
    if (find(index)->phase == Phase::ready) return index;
  }
  return std::nullopt;
}

bool Ledger::is_faulty(Index index) const {
  const Slot* slot = find(index);
  return slot != nullptr && !slot->fault.empty();
}

std::optional<Ledger::Faulty> Ledger::take_faulty(Index limit) {
  const std::optional<Index> index = next_ready(limit);
  if (!index || find(*index)->fault.empty()) return std::nullopt;
  Slot& slot = *find(*index);
  leave_ready(slot);
  slot.phase = Phase::delivered;
  return Faulty{slot.task, slot.fault};
}

const Task& Ledger::lease(Index limit, WorkerId worker, std::uint64_t message) {
  Slot& slot = *find(*next_ready(limit));
  leave_ready(slot);
  slot.phase = Phase::leased;
  slot.holder = worker;
  slot.message = message;
  ++leases_[worker];
  ++leased_;
  return slot.task;
}

void Ledger::leave_ready(Slot& slot) {
  const Index index = slot.task.index;
  if (index < fresh_) {
    again_.erase(index);
    return;
  }
  unsent_bytes_ -= slot.task.memory_bytes();
  if (index == *next_ready(next_index())) fresh_ = index + 1;
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
  if (slot == nullptr || slot->phase != Phase::leased || slot->holder != worker) return nullptr;
  return slot;
}

const Task* Ledger::leased_task(WorkerId worker, Index index) const {
  const Slot* slot = find(index);
  if (slot == nullptr || slot->phase != Phase::leased || slot->holder != worker) return nullptr;
  return &slot->task;
}

void Ledger::end_lease(Slot& slot, Phase next) {
  const auto count = leases_.find(slot.holder);
  if (--count->second == 0) leases_.erase(count);
  --leased_;
  slot.phase = next;
}

void Ledger::make_ready(Slot& slot) {
  slot.phase = Phase::ready;
  again_.insert(slot.task.index);
}

bool Ledger::delivered(WorkerId worker, Index index) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  end_lease(*slot, Phase::delivered);
  return true;
}

bool Ledger::retry_at(WorkerId worker, Index index, Instant due) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  end_lease(*slot, Phase::delayed);
  ++slot->task.attempt;
  slot->due = due;
  delayed_.emplace(due, index);
  return true;
}

bool Ledger::returned(WorkerId worker, Index index) {
  Slot* slot = find_leased(worker, index);
  if (slot == nullptr) return false;
  end_lease(*slot, Phase::ready);
  make_ready(*slot);
  return true;
}

void Ledger::message_lost(WorkerId worker, std::uint64_t message) {
  for (Slot& slot : slots_) {
    if (slot.phase != Phase::leased || slot.holder != worker || slot.message != message) continue;
    end_lease(slot, Phase::ready);
    make_ready(slot);
  }
}

void Ledger::worker_lost(WorkerId worker) {
  for (Slot& slot : slots_) {
    if (slot.holder != worker) continue;
    if (slot.phase == Phase::leased) end_lease(slot, Phase::ready);
    if (slot.phase == Phase::delivered || slot.phase == Phase::ready) make_ready(slot);
  }
}

void Ledger::worker_left(WorkerId worker) {
  for (Slot& slot : slots_) {
    if (slot.holder == worker && slot.phase == Phase::leased) {
      end_lease(slot, Phase::ready);
      make_ready(slot);
    }
  }
}

void Ledger::commit_one(Slot& slot) {
  const Index index = slot.task.index;
  switch (slot.phase) {
    case Phase::committed:
      return;
    case Phase::leased:
      end_lease(slot, Phase::committed);
      break;
    case Phase::ready:
      leave_ready(slot);
      break;
    case Phase::delayed: {
      auto [at, end] = delayed_.equal_range(slot.due);
      at = std::find_if(at, end, [&](const auto& entry) { return entry.second == index; });
      delayed_.erase(at);
      break;
    }
    case Phase::delivered:
      break;
  }
  slot.phase = Phase::committed;
  slot.fault.clear();
  slot.task = place_of(index);  // only its place is still needed
}

void Ledger::drop_committed() {
  while (!slots_.empty() && slots_.front().phase == Phase::committed) {
    slots_.pop_front();
    ++base_;
  }
  fresh_ = std::max(fresh_, base_);
}

void Ledger::commit_below(Index watermark) {
  for (Index index = base_; index < std::min(watermark, next_index()); ++index) {
    commit_one(*find(index));
  }
  drop_committed();
}

void Ledger::commit(const IndexSet& set) {
  for (const IndexRange& range : set.ranges()) {
    const Index end = std::min(range.last + 1, next_index());
    for (Index index = std::max(range.first, base_); index < end; ++index) commit_one(*find(index));
  }
  drop_committed();
}

bool Ledger::lacks_committed(Index watermark, const IndexSet& set) const {
  const auto has = [&](Index index) { return index < watermark || set.contains(index); };
  for (Index index = watermark; index < base_; ++index) {
    if (!has(index)) return true;
  }
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.phase == Phase::committed && !has(slot.task.index);
  });
}

void Ledger::redeliver() {
  for (Slot& slot : slots_) {
    if (slot.phase == Phase::delivered) make_ready(slot);
  }
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
