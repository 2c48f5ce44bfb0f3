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

bool contains_range(const IndexSet& set, IndexRange range) {
  const auto& ranges = set.ranges();
  const auto at = std::lower_bound(ranges.begin(), ranges.end(), range.first,
                                   [](const IndexRange& r, Index i) { return r.last < i; });
  return at != ranges.end() && at->first <= range.first && range.last <= at->last;
}

}  // namespace

void Ledger::add(Task task, std::string fault) {
  task.index = next_index();
  if (is_known(task.index)) return add_committed();
  ++unsent_;
  unsent_bytes_ += task.memory_bytes();
  Slot& slot = slots_.emplace_back();
  slot.task = std::move(task);
  slot.fault = std::move(fault);
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
  skip_committed();
}

void Ledger::skip_committed() {
  fresh_ = std::max(fresh_, base_);
  while (fresh_ < next_index() && find(fresh_)->phase == Phase::committed) ++fresh_;
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
  --unsent_;
  unsent_bytes_ -= slot.task.memory_bytes();
  if (index != fresh_) return;
  ++fresh_;
  skip_committed();
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
  skip_committed();
}

void Ledger::commit_below(Index watermark) {
  known_below_ = std::max(known_below_, watermark);
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
  if (!set.empty() && set.ranges().back().last >= next_index()) remember(set);
}

// Both are ascending, so that each range is added at the end.
void Ledger::remember(const IndexSet& set) {
  std::vector<IndexRange> all = known_.ranges();
  const auto known = static_cast<std::ptrdiff_t>(all.size());
  all.insert(all.end(), set.ranges().begin(), set.ranges().end());
  const auto by_first = [](const IndexRange& a, const IndexRange& b) { return a.first < b.first; };
  std::inplace_merge(all.begin(), all.begin() + known, all.end(), by_first);
  known_.clear();
  for (const IndexRange& range : all) {
    if (range.last >= next_index()) known_.insert(range);
  }
}

bool Ledger::lacks_committed(Index watermark, const IndexSet& set) const {
  const auto has = [&](Index index) { return index < watermark || set.contains(index); };
  const auto lacks = [&](Index first, Index end) {  // a range of a set is within one of another
    first = std::max(first, watermark);
    return first < end && !contains_range(set, {first, end - 1});
  };
  if (lacks(watermark, std::max(base_, known_below_))) return true;
  for (const IndexRange& range : known_.ranges()) {
    if (lacks(range.first, range.last + 1)) return true;
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
