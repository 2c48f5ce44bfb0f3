// What becomes of a task whose message or worker is lost.
#include <utility>

#include "producer/ledger.h"

namespace fetchline {

void Ledger::message_lost(WorkerId worker, std::uint64_t message, bool certain) {
  for (const Index index : listed_) {
    Slot* slot = find_leased(worker, index);
    if (slot == nullptr || lease_in(*slot, worker)->message != message) continue;
    if (slot->repetition == Repetition::never && !certain) continue;
    if (let_go(*slot, worker)) make_ready(*slot);
  }
}

void Ledger::worker_died(WorkerId worker, const std::string& name, const IndexSet& queued,
                         bool only_leased) {
  for (const Index index : listed_) {
    Slot* slot = find_leased(worker, index);
    if (slot == nullptr || queued.contains(index)) continue;
    const bool alone = only_leased && lease_in(*slot, worker)->alone;
    blame_.add(index, worker, name);
    if (!alone || blame_.deaths(index) < Blame::kGuiltyAt) continue;
    if (let_go(*slot, worker)) abandon(*slot, blame_.verdict(index));
  }
  worker_lost(worker);
}

void Ledger::worker_lost(WorkerId worker) {
  worker_left(worker);
  for (Slot& slot : slots_) {
    if (slot.phase == Phase::delivered && slot.lease.worker == worker) repeat(slot);
  }
}

void Ledger::worker_cut_off(WorkerId worker) {
  for (Slot& slot : slots_) {
    const bool stuck = slot.phase == Phase::delivered && slot.lease.worker == worker;
    if (stuck && slot.repetition != Repetition::never) make_ready(slot);
  }
}

void Ledger::worker_left(WorkerId worker) {
  for (const Index index : listed_) {
    Slot* slot = find_leased(worker, index);
    if (slot != nullptr && let_go(*slot, worker)) repeat(*slot);
  }
}

void Ledger::worker_came_back(WorkerId worker) {
  for (const Index index : blame_.take_back(worker)) {
    if (blame_.is_suspect(index) || suspects_.erase(index) == 0) continue;
    again_.insert(index);
  }
}

void Ledger::overdue(Index index) {
  Slot& slot = *find(index);
  end_leases(slot, Phase::ready);
  repeat(slot);
}

// Whatever it was, it may have been requested.
void Ledger::repeat(Slot& slot) {
  if (slot.repetition != Repetition::never || !slot.why.empty()) return make_ready(slot);
  abandon(slot, "may have been sent; --retry-unsafe repeats it");
}

void Ledger::abandon(Slot& slot, std::string why) {
  slot.why = std::move(why);
  slot.outcome = Outcome::abandoned;
  make_ready(slot);
}

}  // namespace fetchline
