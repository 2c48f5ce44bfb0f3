#include "producer/stage_before_core.h"

#include <algorithm>
#include <utility>

namespace fetchline {

void StageBeforeCore::on_message(const PeerId& peer, const Received& received, Instant now) {
  const auto* lines = std::get_if<Lines>(&received.message);
  if (lines != nullptr) {
    if (takes(peer, received.job, lines->boot, now) && !received.job.is_none()) take(*lines);
  } else if (std::holds_alternative<Bye>(received.message) && received.job == job_) {
    bye_heard_ = bye_heard_ || (done_at_ && sender_ && sender_->peer == peer);
  } else {
    ++dropped_;
  }
}

// Whether it is the sender from now on.
bool StageBeforeCore::takes(const PeerId& peer, const JobId& job, BootId boot, Instant now) {
  const bool other_job = !job.is_none() && !job_.is_none() && job != job_;
  const bool other_sender = sender_ && sender_->boot != boot;
  if (other_job || (other_sender && now - sender_->heard < kSilence)) {
    ++refused_;
    refuse(peer, other_job ? job_ : job,
           other_job ? Refused::Reason::other_input : Refused::Reason::busy);
    want_due_ = want_due_ || sender_.has_value();  // whether that one is still there
    return false;
  }
  if (!sender_ || sender_->peer != peer) want_due_ = true;
  if (job_.is_none() && !job.is_none()) {
    job_ = job;
    want_due_ = true;
  }
  sender_ = {.peer = peer, .boot = boot, .heard = now};
  heard_ = now;
  return true;
}

void StageBeforeCore::refuse(const PeerId& peer, const JobId& job, Refused::Reason reason) {
  send(peer, encode(job, Epoch{}, Refused{.reason = reason}));
}

void StageBeforeCore::take(Lines lines) {
  if (lines.total && *lines.total < position_) shorter_total_ = lines.total;
  if (shorter_total_ || (total_ && lines.total && *total_ != *lines.total)) {
    ++dropped_;
    return;
  }
  if (lines.total) total_ = lines.total;
  if (lines.first > position_) return;  // those between are lost, or late
  std::string text;
  for (std::uint64_t i = position_ - lines.first; i < lines.lines.size() && room() > 0; ++i) {
    text += lines.lines[i];
    text += '\n';
    buffered_bytes_ += lines.lines[i].size() + 1;
    ++position_;
  }
  bytes_ += text.size();
  if (!text.empty()) texts_.push_back(std::move(text));
}

std::string StageBeforeCore::take_text() {
  if (texts_.empty()) return {};
  std::string text = std::move(texts_.front());
  texts_.pop_front();
  buffered_bytes_ -= text.size();
  return text;
}

// Room counts when it is much: the sender is not asked for a line at a time.
bool StageBeforeCore::has_news() const {
  if (!sender_ || done_at_) return false;
  const bool has_room = told_room_ < kBufferBytes / 2 && room() >= kBufferBytes / 2;
  return want_due_ || position_ != told_position_ || has_room;
}

void StageBeforeCore::advance(Instant now) {
  if (!sender_) return;
  if (done_at_) {
    if (now - told_ < kRepeat) return;
    told_ = now;
    return send(sender_->peer, encode(job_, Epoch{}, Enough{}));
  }
  const bool soon = has_news() && now - told_ >= kWantInterval;
  if (!want_due_ && !soon && now - told_ < kRepeat) return;
  want_due_ = false;
  told_ = now;
  told_position_ = position_;
  told_room_ = room();
  send(sender_->peer, encode(job_, Epoch{}, Want{.from = position_, .credit_bytes = told_room_}));
}

std::vector<StageBeforeCore::Outgoing> StageBeforeCore::take_outgoing() {
  return std::exchange(outgoing_, {});
}

void StageBeforeCore::unreachable(const PeerId& peer) {
  if (sender_ && sender_->peer == peer) sender_.reset();
}

void StageBeforeCore::set_done(Instant now) {
  if (done_at_) return;
  done_at_ = now;
  told_ = now - kRepeat;  // said in the next advance()
}

// A sender that is away for a moment would wait for ever for a word that was said to nobody.
bool StageBeforeCore::over(Instant now) const {
  return done_at_ && (bye_heard_ || now - *done_at_ >= kFarewell);
}

}  // namespace fetchline
