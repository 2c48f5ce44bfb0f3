#include "collector/next_stage_core.h"

#include <algorithm>
#include <utility>

namespace fetchline {

void NextStageCore::set_stage(const Stage& stage) { stage_ = stage; }

bool NextStageCore::wants_record() const {
  return asked_ && next_record_ < stage_.records && unsent_bytes_ < kReadAheadBytes;
}

void NextStageCore::add(std::vector<std::string> lines) {
  for (std::string& text : lines) {
    if (base_ < from_ && lines_.empty()) {
      ++base_;  // the next stage has it from a sender before us
      continue;
    }
    const Line& line = lines_.emplace_back(Line{next_record_, std::move(text)});
    unsent_bytes_ += line.bytes();
  }
  ++next_record_;
  note_wanted();
}

void NextStageCore::leave() {
  if (!over_ || leaving_) return;
  leaving_ = bye_due_ = true;
}

bool NextStageCore::take_rewind() { return std::exchange(rewind_, false); }

void NextStageCore::on_message(const Received& received, Instant now) {
  if (const auto* refused = std::get_if<Refused>(&received.message)) {
    if (refused->reason == Refused::Reason::busy) ++refusals_;
    const bool other = refused->reason == Refused::Reason::other_input;
    if (other && !stage_.job.is_none() && received.job != stage_.job) other_job_ = received.job;
    return;
  }
  const auto* want = std::get_if<Want>(&received.message);
  const bool enough = std::holds_alternative<Enough>(received.message);
  const bool names_ours = is_ours(received) || (want != nullptr && received.job.is_none());
  if (!names_ours || (enough && !stage_.complete)) {
    ++dropped_;
    return;
  }
  heard_ = now;
  refusals_ = 0;
  if (enough) over_ = true;
  if (enough && leaving_) bye_due_ = true;
  if (want != nullptr && is_ours(received)) on_want(*want, now);
}

void NextStageCore::on_want(const Want& want, Instant now) {
  const bool moved = !asked_ || want.from != from_;
  asked_ = true;
  credit_bytes_ = std::min(want.credit_bytes, kMostCreditBytes);
  from_ = want.from;
  if (from_ < base_) rewind();
  drop_taken();
  if (moved) {
    moved_ = now;
  } else if (sent_ > 0 && now - moved_ >= kRepeat) {
    go_back();
  }
  note_wanted();
}

// Another listener, which has nothing yet.
void NextStageCore::rewind() {
  lines_.clear();
  sent_ = sent_bytes_ = unsent_bytes_ = 0;
  base_ = next_record_ = 0;
  rewind_ = true;
}

void NextStageCore::drop_taken() {
  while (base_ < from_ && !lines_.empty()) {
    const std::size_t bytes = lines_.front().bytes();
    if (sent_ > 0) {
      --sent_;
      sent_bytes_ -= bytes;
    } else {
      unsent_bytes_ -= bytes;
    }
    lines_.pop_front();
    ++base_;
  }
}

void NextStageCore::go_back() {
  unsent_bytes_ += sent_bytes_;
  sent_ = sent_bytes_ = 0;
}

void NextStageCore::not_sent() {
  go_back();
  said_ = {};
  total_told_ = false;
  bye_due_ = leaving_;
}

void NextStageCore::note_wanted() {
  if (!asked_) return;
  wanted_record_ = std::max(wanted_record_, lines_.empty() ? next_record_ : lines_.front().record);
  if (stage_.complete && next_record_ == stage_.records) total_ = base_ + lines_.size();
}

// One may always be under way, however long it is.
bool NextStageCore::may_send_line() const {
  if (sent_ == lines_.size() || credit_bytes_ == 0) return false;
  return sent_ == 0 || sent_bytes_ + lines_[sent_].bytes() <= credit_bytes_;
}

Lines NextStageCore::next_lines() {
  Lines message{.boot = boot_, .first = base_ + sent_, .lines = {}, .total = total_};
  std::size_t bytes = 0;
  while (may_send_line() && bytes < kMessageBytes && message.lines.size() < kMaxLinesPerMessage) {
    const Line& line = lines_[sent_];
    message.lines.push_back(line.text);
    bytes += line.bytes();
    ++sent_;
    sent_bytes_ += line.bytes();
    unsent_bytes_ -= line.bytes();
  }
  return message;
}

std::optional<Frames> NextStageCore::next_message(Instant now) {
  if (std::exchange(bye_due_, false)) return encode(stage_.job, Epoch{}, Bye{});
  if (over_) return std::nullopt;
  note_wanted();
  const bool total_due = total_ && !total_told_;
  if (!may_send_line() && !total_due && now - said_ < kRepeat) return std::nullopt;
  if (sent_ == 0) moved_ = now;
  said_ = now;
  total_told_ = total_.has_value();
  return encode(stage_.job, Epoch{}, next_lines());
}

}  // namespace fetchline
