#include "worker/body_budget.h"

#include <algorithm>
#include <utility>

namespace fetchline {

void BodyBudget::set_held(std::size_t bytes, std::vector<Head> heads) {
  held_.store(bytes, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  heads_.swap(heads);
}

bool BodyBudget::is_head(JobSlot job, Index index) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(
      heads_, [&](const Head& head) { return head.job == job && index <= head.index; });
}

bool BodyBudget::Share::cover(std::size_t body_bytes, bool is_head) {
  const std::size_t covered = kOwnBytes + taken_;
  if (body_bytes > covered) {
    const std::size_t more = body_bytes - covered;
    if (!budget_.take(more)) {
      if (!budget_.let_through(*this, is_head)) {
        wanted_ = body_bytes;
        set_waits(true);
        return false;
      }
      budget_.taken_.fetch_add(more, std::memory_order_relaxed);
    }
    taken_ += more;
  }
  set_waits(false);
  return true;
}

void BodyBudget::Share::release() {
  set_waits(false);
  budget_.taken_.fetch_sub(taken_, std::memory_order_relaxed);
  taken_ = 0;
  const Share* self = this;
  budget_.unlimited_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed);
}

void BodyBudget::Share::set_waits(bool waits) {
  if (waits == waits_) return;
  waits_ = waits;
  if (waits) {
    budget_.waiting_.fetch_add(1, std::memory_order_relaxed);
  } else {
    budget_.waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
}

bool BodyBudget::take(std::size_t bytes) {
  const std::size_t taken = taken_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (taken + results() <= bytes_) return true;
  taken_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

bool BodyBudget::let_through(const Share& share, bool is_head) {
  if (unlimited_.load(std::memory_order_relaxed) == &share) return true;
  if (is_full() && !is_head) return false;
  const Share* nobody = nullptr;
  return unlimited_.compare_exchange_strong(nobody, &share, std::memory_order_relaxed);
}

}  // namespace fetchline
