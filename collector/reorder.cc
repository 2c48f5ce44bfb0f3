#include "collector/reorder.h"

#include <utility>

namespace fetchline {

ReorderBuffer::Verdict ReorderBuffer::store(Result result) {
  if (result.index < watermark_) return Verdict::duplicate;
  const Index position = result.index - watermark_;
  if (position >= window_) return Verdict::beyond;
  if (position < slots_.size() && slots_[position] != nullptr) return Verdict::duplicate;
  const std::size_t bytes = result.memory_bytes();
  if (position > 0 && held_bytes_ + bytes > memory_bytes_) return Verdict::no_room;
  while (slots_.size() <= position) slots_.emplace_back();
  slots_[position] = std::make_unique<Result>(std::move(result));
  held_bytes_ += bytes;
  ++held_;
  return Verdict::stored;
}

std::unique_ptr<Result> ReorderBuffer::take_next() {
  if (!has_next()) return nullptr;
  std::unique_ptr<Result> next = std::move(slots_.front());
  slots_.pop_front();
  ++watermark_;
  held_bytes_ -= next->memory_bytes();
  --held_;
  return next;
}

std::size_t ReorderBuffer::drop_from(Index end) {
  std::size_t dropped = 0;
  while (watermark_ + slots_.size() > end) {
    if (slots_.back() != nullptr) {
      held_bytes_ -= slots_.back()->memory_bytes();
      --held_;
      ++dropped;
    }
    slots_.pop_back();
  }
  return dropped;
}

IndexSet ReorderBuffer::indices(std::size_t max_ranges) const {
  IndexSet set;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] == nullptr) continue;
    const bool adjoins = i > 0 && slots_[i - 1] != nullptr;
    if (!adjoins && set.ranges().size() == max_ranges) break;
    set.insert(watermark_ + i);
  }
  return set;
}

}  // namespace fetchline
