#include "collector/reorder.h"

#include <utility>

#include "proto/codec.h"

namespace fetchline {

std::size_t ReorderBuffer::Slot::memory_bytes() const {
  return result != nullptr ? result->memory_bytes() : packed.size();
}

ReorderBuffer::Slot* ReorderBuffer::find(Index index) {
  if (index < watermark_ || index - watermark_ >= slots_.size()) return nullptr;
  return &slots_[index - watermark_];
}

const ReorderBuffer::Slot* ReorderBuffer::find(Index index) const {
  if (index < watermark_ || index - watermark_ >= slots_.size()) return nullptr;
  return &slots_[index - watermark_];
}

ReorderBuffer::Slot& ReorderBuffer::slot_at(Index position) {
  while (slots_.size() <= position) slots_.emplace_back();
  return slots_[position];
}

ReorderBuffer::Verdict ReorderBuffer::store(Result result) {
  if (result.index < watermark_) return Verdict::duplicate;
  const Index position = result.index - watermark_;
  if (position >= limits_.window) return Verdict::beyond;
  if (position < slots_.size() && slots_[position].is_held()) return Verdict::duplicate;
  const std::size_t bytes = result.memory_bytes();
  if (position > 0) {
    const bool fits = held_bytes_ + bytes <= limits_.memory_bytes &&
                      (!has_journal() || saved_bytes_ + bytes <= limits_.journal_limit_bytes);
    if (!fits) return Verdict::no_room;
  }
  Slot& slot = slot_at(position);
  slot.task_hash = result.task_hash;
  slot.result = std::make_unique<Result>(std::move(result));
  held_bytes_ += bytes;
  ++held_;
  if (!has_journal()) pack_if_many(slot);
  return Verdict::stored;
}

void ReorderBuffer::pack_if_many(Slot& slot) {
  const bool is_small = slot.result != nullptr && slot.result->body.size() <= kPackedBodyBytes;
  if (held_ <= kPackAbove || !is_small || &slot == &slots_.front()) return;
  held_bytes_ -= slot.memory_bytes();
  packing_.clear();
  append_stored(packing_, *slot.result);
  slot.packed = packing_;
  slot.result.reset();
  held_bytes_ += slot.memory_bytes();
}

bool ReorderBuffer::restore(Index index, std::uint64_t task_hash, const JournalPlace& place) {
  if (index < watermark_) return false;
  Slot& slot = slot_at(index - watermark_);
  if (slot.is_held()) return false;
  slot.task_hash = task_hash;
  slot.place = place;
  saved_bytes_ += place.length;
  ++held_;
  return true;
}

const Result* ReorderBuffer::unsaved(Index index) const {
  const Slot* slot = find(index);
  return slot == nullptr || slot->is_saved() ? nullptr : slot->result.get();
}

bool ReorderBuffer::is_saved(Index index) const {
  const Slot* slot = find(index);
  return slot != nullptr && slot->is_saved();
}

void ReorderBuffer::set_saved(Index index, const JournalPlace& place) {
  Slot* slot = find(index);
  if (slot == nullptr || !slot->is_held() || slot->is_saved()) return;
  slot->place = place;
  saved_bytes_ += place.length;
  // The rest of the memory is for what is on its way into the journal.
  if (held_bytes_ <= limits_.memory_bytes / 3 || slot == &slots_.front()) {
    return pack_if_many(*slot);
  }
  held_bytes_ -= slot->memory_bytes();
  slot->result.reset();
}

const JournalPlace* ReorderBuffer::head_place() const {
  const bool elsewhere = has_next() && !slots_.front().is_in_memory();
  return elsewhere ? &slots_.front().place : nullptr;
}

void ReorderBuffer::load_head(Result result) {
  held_bytes_ += result.memory_bytes();
  slots_.front().result = std::make_unique<Result>(std::move(result));
}

std::unique_ptr<Result> ReorderBuffer::take_next() {
  if (!has_next()) return nullptr;
  leave(slots_.front());
  Slot& head = slots_.front();
  std::unique_ptr<Result> next = std::move(head.result);
  if (next == nullptr) next = std::make_unique<Result>(decode_stored(head.packed).value());
  slots_.pop_front();
  ++watermark_;
  return next;
}

void ReorderBuffer::leave(Slot& slot) {
  if (!slot.is_held()) return;
  if (slot.is_in_memory()) held_bytes_ -= slot.memory_bytes();
  saved_bytes_ -= slot.place.length;
  --held_;
}

bool ReorderBuffer::is_nearly_full() const {
  return held_bytes_ >= limits_.memory_bytes / 4 * 3 ||
         (has_journal() && saved_bytes_ >= limits_.journal_limit_bytes / 4 * 3);
}

bool ReorderBuffer::is_half_empty() const {
  return held_bytes_ < limits_.memory_bytes / 2 &&
         (!has_journal() || saved_bytes_ < limits_.journal_limit_bytes / 2);
}

std::uint64_t ReorderBuffer::task_hash(Index index) const {
  const Slot* slot = find(index);
  return slot == nullptr ? 0 : slot->task_hash;
}

std::size_t ReorderBuffer::drop_from(Index end) {
  std::size_t dropped = 0;
  while (this->end() > end && !slots_.empty()) {
    dropped += slots_.back().is_held() ? 1 : 0;
    leave(slots_.back());
    slots_.pop_back();
  }
  return dropped;
}

IndexSet ReorderBuffer::indices(std::size_t max_ranges) const {
  const auto counts = [&](const Slot& slot) {
    return has_journal() ? slot.is_saved() : slot.is_held();
  };
  IndexSet set;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!counts(slots_[i])) continue;
    const bool adjoins = i > 0 && counts(slots_[i - 1]);
    if (!adjoins && set.ranges().size() == max_ranges) break;
    set.insert(watermark_ + i);
  }
  return set;
}

}  // namespace fetchline
