#include "proto/result_outbox.h"

#include <algorithm>
#include <utility>

namespace fetchline {

void ResultOutbox::add(Result result) {
  const Index index = result.index;
  const auto [at, is_new] = held_.try_emplace(index);
  if (!is_new) return;
  at->second.outcome = result.outcome;
  at->second.result = encode_result(std::move(result));
  held_bytes_ += at->second.result.bytes;
  unsent_.insert(index);
}

bool ResultOutbox::may_send(Index index, const Held& held, Instant now) const {
  if (index <= watermark_) return true;
  const bool idle = sent_bytes_ == 0;
  // Admission may have been raised by a message that was lost: ask again with one result.
  if (idle && now - last_send_ >= kProbeAfter) return true;
  if (index >= admit_limit_) return false;
  return idle || sent_bytes_ + held.result.bytes <= byte_window_;
}

std::optional<Frames> ResultOutbox::next_batch(const JobId& job, Epoch epoch, WorkerId sender,
                                               Instant now) {
  std::optional<Frames> message;
  std::size_t batch_bytes = 0;
  while (!unsent_.empty() && batch_bytes < kBatchBytes) {
    const Index index = *unsent_.begin();
    Held& held = held_.at(index);
    if (!may_send(index, held, now)) break;
    if (message && message->size() + held.result.frames.size() > kMaxFrames) break;
    if (!message) {
      message = encode_results_header(job, epoch, sender);
      sent_.push_back({++last_batch_, now, {}});
    }
    append_result(*message, held.result);
    held.sent_in = last_batch_;
    batch_bytes += held.result.bytes;
    sent_bytes_ += held.result.bytes;
    last_send_ = now;
    sent_.back().indices.push_back(index);
    unsent_.erase(unsent_.begin());
    if (sent_.back().indices.size() >= kBatchResults) break;
  }
  return message;
}

void ResultOutbox::take_back_last_batch() {
  if (!blocked_since_) blocked_since_ = sent_.back().at;
  take_back_last();
}

void ResultOutbox::take_back_last() {
  const SentBatch batch = std::move(sent_.back());
  sent_.pop_back();
  for (const Index index : batch.indices) unsend(index, batch.number);
}

void ResultOutbox::unsend(Index index, std::uint64_t number) {
  const auto at = held_.find(index);
  if (at == held_.end() || at->second.sent_in != number) return;
  at->second.sent_in = 0;
  sent_bytes_ -= at->second.result.bytes;
  unsent_.insert(index);
}

void ResultOutbox::forget(const IndexRange& range) {
  auto at = held_.lower_bound(range.first);
  while (at != held_.end() && at->first <= range.last) {
    held_bytes_ -= at->second.result.bytes;
    if (at->second.sent_in == 0) {
      unsent_.erase(at->first);
    } else {
      newest_answered_ = std::max(newest_answered_, at->second.sent_in);
      sent_bytes_ -= at->second.result.bytes;
    }
    at = held_.erase(at);
  }
}

void ResultOutbox::on_acks(const Acks& acks, Instant now) {
  last_acks_ = now;
  blocked_since_.reset();
  for (const IndexRange& range : acks.accepted.ranges()) forget(range);
  if (acks.boot != boot_) {  // a new collector process knows nothing of what is under way
    const bool is_first = boot_ == BootId{};
    boot_ = acks.boot;
    acks_seq_ = 0;
    while (!is_first && !sent_.empty()) take_back_last();
  }
  for (const IndexRange& range : acks.refused.ranges()) {
    auto at = held_.lower_bound(range.first);
    for (; at != held_.end() && at->first <= range.last; ++at) {
      if (at->second.sent_in != 0) unsend(at->first, at->second.sent_in);
    }
  }
  if (acks.seq < acks_seq_) return;
  acks_seq_ = acks.seq;
  watermark_ = acks.watermark;
  admit_limit_ = acks.admit_limit;
  byte_window_ = acks.byte_window;
}

void ResultOutbox::advance(Instant now) {
  const auto is_lost = [&](const SentBatch& batch) {
    const bool overtaken = batch.number < newest_answered_ && now - batch.at >= kOvertakenAfter;
    return overtaken || now - std::max(batch.at, last_acks_) >= kResendAfter;
  };
  while (!sent_.empty() && is_lost(sent_.front())) {
    const SentBatch batch = std::move(sent_.front());
    sent_.pop_front();
    for (const Index index : batch.indices) unsend(index, batch.number);
  }
}

void ResultOutbox::clear() { *this = ResultOutbox(); }

}  // namespace fetchline
