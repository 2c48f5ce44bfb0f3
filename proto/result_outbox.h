// Results on their way to the collector: held until it says that they are safe, sent again until
// then. The sender's half of Results and Acks, for workers and for the producer. Pure; owned by
// one thread.
//
// Sent lowest index first, so that the order's head never waits behind what comes later. Results
// at or above the collector's admit_limit wait here, and so do those beyond its byte_window; the
// one at its watermark never does.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "proto/codec.h"
#include "proto/instant.h"
#include "proto/messages.h"

namespace fetchline {

class ResultOutbox {
 public:
  // A message of results is closed at about this size, so that bodies of many sizes share frames'
  // overhead and one large body does not wait for others.
  static constexpr std::size_t kBatchBytes = 256 * 1024;
  static constexpr std::size_t kBatchResults = 64;
  // Nothing was heard for so long after sending. Counted from the last word of the collector, so
  // that a link that is slow but alive is not filled with copies.
  static constexpr std::chrono::seconds kResendAfter{5};
  // A later message was answered and this one was not: it is lost.
  static constexpr std::chrono::seconds kOvertakenAfter{1};
  static constexpr std::chrono::seconds kProbeAfter{1};  // nothing under way, nothing admitted
  // A message could not even be sent, and nothing was heard since. Long, so that a narrow link,
  // which breaks and is made again under its load, is not given up for a dead one.
  static constexpr std::chrono::seconds kCutOffAfter{30};

  // A second result for an index that is held is dropped: the first stands.
  void add(Result result);

  // The next message to send, if the collector has room for one.
  [[nodiscard]] std::optional<Frames> next_batch(const JobId& job, Epoch epoch, WorkerId sender,
                                                 Instant now);
  // The message that next_batch() gave could not be sent after all.
  void take_back_last_batch();

  void on_acks(const Acks& acks, Instant now);
  void advance(Instant now);  // notices what was sent long ago and is not acknowledged
  void clear();

  [[nodiscard]] bool holds(Index index) const { return held_.contains(index); }
  [[nodiscard]] Outcome outcome_of(Index index) const { return held_.at(index).outcome; }  // held
  [[nodiscard]] bool empty() const { return held_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] Index watermark() const { return watermark_; }
  // What is held cannot reach the collector, and nobody knows when it will.
  [[nodiscard]] bool is_cut_off(Instant now) const {
    return blocked_since_ && now - *blocked_since_ >= kCutOffAfter;
  }

 private:
  struct Held {
    EncodedResult result;
    Outcome outcome = Outcome::cancelled;
    std::uint64_t sent_in = 0;  // number of the message it is under way in; 0: not sent
  };
  struct SentBatch {
    std::uint64_t number = 0;
    Instant at;
    std::vector<Index> indices;
  };

  [[nodiscard]] bool may_send(Index index, const Held& held, Instant now) const;
  void take_back_last();
  void unsend(Index index, std::uint64_t number);
  void forget(const IndexRange& range);

  std::map<Index, Held> held_;
  std::set<Index> unsent_;
  std::deque<SentBatch> sent_;  // oldest first; may name results that are gone
  std::size_t held_bytes_ = 0;
  std::size_t sent_bytes_ = 0;
  std::uint64_t last_batch_ = 0;
  std::uint64_t newest_answered_ = 0;  // batch
  Instant last_send_{};
  Instant last_acks_{};
  std::optional<Instant> blocked_since_;  // the first that could not be sent since then

  // The collector's last word. Until the first one a few results may go.
  BootId boot_{};
  std::uint64_t acks_seq_ = 0;
  Index watermark_ = 0;
  Index admit_limit_ = kMaxIndex;
  std::uint64_t byte_window_ = kBatchBytes;
};

}  // namespace fetchline
