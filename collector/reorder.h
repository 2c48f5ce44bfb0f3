// Results that wait for their turn. Pure; owned by the collector's loop thread.
//
// A queue indexed from the watermark: one slot a position between the oldest result not yet taken
// and the newest one held, so storing and taking are O(1) whatever the order of arrival. A result
// that stands in the journal too may leave memory: only its place stays. Where many wait, they wait
// packed, as the bytes that a journal keeps: a small one takes a third of the memory then.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "collector/journal_format.h"
#include "proto/index_set.h"
#include "proto/result.h"

namespace fetchline {

class ReorderBuffer {
 public:
  struct Limits {
    Index window = 0;                       // positions from the watermark on that may be occupied
    std::size_t memory_bytes = 0;           // what results that wait may occupy in memory together
    std::uint64_t journal_limit_bytes = 0;  // and in the journal; 0: there is none
  };
  // When more are held, those that will hardly be looked at before their turn are packed; the first
  // ones seldom wait for long, and to pack and unpack one costs half a microsecond.
  static constexpr std::size_t kPackAbove = 4096;
  // A larger body is no smaller when it is packed.
  static constexpr std::size_t kPackedBodyBytes = std::size_t{16} << 10;

  // The result at the watermark is always taken: it can leave at once.
  explicit ReorderBuffer(const Limits& limits, Index watermark = 0)
      : limits_(limits), watermark_(watermark) {}

  enum class Verdict : std::uint8_t {
    stored,
    duplicate,  // it was stored or taken before; this copy is dropped
    beyond,     // of the window: it should not have been handed out; this copy is dropped
    no_room,    // in the memory; this copy is dropped
  };
  [[nodiscard]] Verdict store(Result result);
  // One that an earlier process put into the journal. False when it is there or was taken.
  bool restore(Index index, std::uint64_t task_hash, const JournalPlace& place);

  // Held, in memory, and not in the journal; null when not.
  [[nodiscard]] const Result* unsaved(Index index) const;
  // It stands in the journal; if memory is short it is there only.
  void set_saved(Index index, const JournalPlace& place);
  [[nodiscard]] bool is_saved(Index index) const;

  // The result at the watermark, which moves on; empty while that one is missing. When it stands
  // in the journal only (head_place() says where), it is put back with load_head() first.
  [[nodiscard]] std::unique_ptr<Result> take_next();
  [[nodiscard]] bool has_next() const { return !slots_.empty() && slots_.front().is_held(); }
  [[nodiscard]] const JournalPlace* head_place() const;
  void load_head(Result result);

  [[nodiscard]] Index watermark() const { return watermark_; }  // every index below was taken
  [[nodiscard]] Index end() const { return watermark_ + slots_.size(); }  // nothing from there on
  [[nodiscard]] Index window() const { return limits_.window; }
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }      // in memory
  [[nodiscard]] std::uint64_t saved_bytes() const { return saved_bytes_; }  // in the journal
  [[nodiscard]] std::size_t memory_bytes() const { return limits_.memory_bytes; }
  [[nodiscard]] std::uint64_t journal_limit_bytes() const { return limits_.journal_limit_bytes; }
  [[nodiscard]] bool is_nearly_full() const;  // three quarters of what there is
  [[nodiscard]] bool is_half_empty() const;

  [[nodiscard]] std::uint64_t task_hash(Index index) const;  // 0: not known
  std::size_t drop_from(Index end);  // forgets what is held from there on; how many that were
  // Held (and saved, when there is a journal), lowest ranges first.
  [[nodiscard]] IndexSet indices(std::size_t max_ranges) const;

 private:
  struct Slot {
    std::unique_ptr<Result> result;
    std::string packed;  // instead
    JournalPlace place;
    std::uint64_t task_hash = 0;

    [[nodiscard]] bool is_saved() const { return place.length > 0; }
    [[nodiscard]] bool is_in_memory() const { return result != nullptr || !packed.empty(); }
    [[nodiscard]] bool is_held() const { return is_in_memory() || is_saved(); }
    [[nodiscard]] std::size_t memory_bytes() const;
  };

  [[nodiscard]] bool has_journal() const { return limits_.journal_limit_bytes > 0; }
  [[nodiscard]] Slot* find(Index index);
  [[nodiscard]] const Slot* find(Index index) const;
  [[nodiscard]] Slot& slot_at(Index position);
  void leave(Slot& slot);
  void pack_if_many(Slot& slot);

  const Limits limits_;
  std::deque<Slot> slots_;  // slots_[i] is index watermark_ + i
  Index watermark_ = 0;
  std::size_t held_bytes_ = 0;
  std::uint64_t saved_bytes_ = 0;
  std::size_t held_ = 0;
  std::string packing_;  // kept for its memory
};

}  // namespace fetchline
