// Tasks that must not be requested twice, and what an earlier producer may have done with them.
#include <algorithm>

#include "producer/ledger.h"

namespace fetchline {

std::optional<Index> Ledger::next_unrepeatable(Index from) const {
  auto at = std::lower_bound(unrepeatable_.begin(), unrepeatable_.end(), from);
  while (at != unrepeatable_.end() && find(*at)->phase == Phase::committed) ++at;
  if (at == unrepeatable_.end()) return std::nullopt;
  return *at;
}

void Ledger::doubt_below(Index mark) {
  doubted_below_ = mark;
  for (const Index index : unrepeatable_) {
    if (index >= mark) break;
    Slot& slot = *find(index);
    if (slot.phase == Phase::ready && slot.why.empty()) doubt(slot);
  }
}

void Ledger::doubt(Slot& slot) {
  slot.phase = Phase::doubtful;
  doubtful_.insert(slot.task.index);
  leave_ready(slot);
}

void Ledger::adopt(WorkerId worker, const IndexSet& indices, Instant now) {
  for (auto at = doubtful_.begin(); at != doubtful_.end();) {
    const Index index = *at;
    if (!indices.contains(index)) {
      ++at;
      continue;
    }
    at = doubtful_.erase(at);
    note_lease(*find(index), {worker, 0, now});
  }
}

void Ledger::abandon_doubtful(Index below) {
  while (!doubtful_.empty() && *doubtful_.begin() < below) {
    Slot& slot = *find(*doubtful_.begin());
    doubtful_.erase(doubtful_.begin());
    abandon(slot,
            "an earlier run may have sent it, and no worker has it; --retry-unsafe repeats it");
  }
}

// What waits for its turn was never handed out, returned, or not sent. What is committed counts as
// in doubt: who comes next may hand out before it has heard of that.
Index Ledger::in_doubt_below() const {
  if (next_index() < doubted_below_) return doubted_below_;
  for (auto at = unrepeatable_.rbegin(); at != unrepeatable_.rend(); ++at) {
    const Slot& slot = *find(*at);
    const bool waits = slot.phase == Phase::ready || slot.phase == Phase::delayed;
    if (!waits || !slot.why.empty()) return *at + 1;
  }
  return base_;
}

bool Ledger::awaits_unrepeatable() const {
  return std::any_of(unrepeatable_.begin(), unrepeatable_.end(),
                     [this](Index index) { return find(index)->phase == Phase::delivered; });
}

}  // namespace fetchline
