#include "collector/collector_core.h"

#include <algorithm>
#include <utility>

#include "proto/codec.h"
#include "proto/json_text.h"

namespace fetchline {
namespace {

// A list that may hold what is of no use any more is cleaned when that may be half of it, and not
// more often.
std::size_t next_limit(const std::vector<Index>& cleaned) { return 2 * cleaned.size() + 1024; }

}  // namespace

CollectorCore::CollectorCore(const Settings& settings, const std::optional<Recovered>& recovered)
    : boot_(settings.boot),
      has_journal_(settings.journal_limit_bytes > 0),
      reorder_({settings.window, settings.memory_bytes, settings.journal_limit_bytes},
               recovered ? recovered->watermark : 0) {
  control_.log = settings.log;
  control_.beginning = settings.beginning;
  if (!recovered) return;
  control_ = recovered->control;
  begun_below_ = control_.begun_below;
  counts_ = recovered->counts;
  written_ = recovered->watermark;
  chain_ = recovered->chain;
  for (const auto& [nonce, epoch] : control_.epochs) {
    if (epoch <= epoch_) continue;
    epoch_ = epoch;
    nonce_ = nonce;
  }
}

void CollectorCore::restore(Index index, std::uint64_t task_hash, const JournalPlace& place) {
  if (!total() || index < *total()) (void)reorder_.restore(index, task_hash, place);
}

void CollectorCore::on_message(const PeerId& peer, Received received, Instant now) {
  if (const auto* open = std::get_if<Open>(&received.message)) {
    on_open(peer, received, *open, now);
    return;
  }
  if (!has_job() || received.job != control_.job) {
    ++dropped_;
    const bool waits = has_job() && std::holds_alternative<Results>(received.message);
    if (waits) refuse(peer, received.job, {.reason = Refused::Reason::busy});
    return;
  }
  if (const auto* bye = std::get_if<Bye>(&received.message)) {
    on_bye(received.epoch, *bye, now);
  } else if (auto* recap = std::get_if<Recap>(&received.message)) {
    if (received.epoch == epoch_) comparison_.add(std::move(*recap));
  } else if (done_) {
    send(peer, encode(control_.job, epoch_, Done{counts_}));
  } else if (auto* results = std::get_if<Results>(&received.message)) {
    on_results(peer, *results, now);
  } else if (const auto* end = std::get_if<End>(&received.message)) {
    on_end(received.epoch, *end);
  } else if (const auto* begin = std::get_if<Begin>(&received.message)) {
    on_begin(received.epoch, *begin);
  } else {
    ++dropped_;
  }
}

void CollectorCore::on_results(const PeerId& peer, Results& message, Instant now) {
  Sender& sender = senders_[message.sender];
  sender.peer = peer;
  sender.heard = now;
  last_result_ = now;
  for (Result& result : message.results) {
    const Index index = result.index;
    const bool forged = !result.meta.empty() && !is_json_on_one_line(result.meta);
    if (forged || (total() && index >= *total())) {
      ++dropped_;
      continue;
    }
    const std::size_t bytes = result.memory_bytes();
    switch (reorder_.store(std::move(result))) {
      case ReorderBuffer::Verdict::stored:
        sender.is_awaited = true;
        note_unsaved(index, bytes, now);
        note_stored(sender, index);
        break;
      case ReorderBuffer::Verdict::duplicate:
        note_stored(sender, index);
        break;
      case ReorderBuffer::Verdict::beyond:
        ++dropped_;
        break;  // nobody was asked for it
      case ReorderBuffer::Verdict::no_room:
        sender.refused.push_back(index);
        become_tight();
        break;
    }
  }
}

void CollectorCore::note_stored(Sender& sender, Index index) {
  if (is_safe(index)) return sender.accepted.push_back(index);
  sender.unsafe.push_back(index);
  if (sender.unsafe.size() <= sender.most_unsafe) return;
  std::sort(sender.unsafe.begin(), sender.unsafe.end());
  sender.unsafe.erase(std::unique(sender.unsafe.begin(), sender.unsafe.end()), sender.unsafe.end());
  sender.most_unsafe = next_limit(sender.unsafe);
}

void CollectorCore::note_unsaved(Index index, std::size_t bytes, Instant now) {
  if (!has_journal_) return;
  if (unsaved_.empty()) unsaved_since_ = now;
  unsaved_.push_back(index);
  unsaved_bytes_ += bytes;
  if (unsaved_.size() <= most_unsaved_) return;
  std::erase_if(unsaved_, [&](Index waiting) { return reorder_.unsaved(waiting) == nullptr; });
  most_unsaved_ = next_limit(unsaved_);
}

bool CollectorCore::save_due(Instant now) const {
  if (control_due_) return true;
  if (unsaved_.empty()) return false;
  return draining_since_ || unsaved_bytes_ >= kSaveBytes || now - unsaved_since_ >= kSaveAfter;
}

std::optional<Instant> CollectorCore::next_save_due() const {
  if (unsaved_.empty()) return std::nullopt;
  return unsaved_since_ + kSaveAfter;
}

std::vector<const Result*> CollectorCore::take_unsaved() {
  std::vector<const Result*> results;
  for (const Index index : unsaved_) {
    if (const Result* result = reorder_.unsaved(index)) results.push_back(result);
  }
  unsaved_.clear();
  unsaved_bytes_ = 0;
  return results;
}

const JobControl* CollectorCore::unsaved_control() const {
  return control_due_ ? &control_ : nullptr;
}

void CollectorCore::set_control_saved() {
  begun_below_ = control_.begun_below;
  control_due_ = epoch_due_ = false;
  state_due_ = true;
}

void CollectorCore::on_end(Epoch epoch, const End& end) {
  state_due_ = true;
  const bool too_short = end.total < reorder_.watermark();
  if (epoch != epoch_ || too_short || (total() && *total() != end.total)) {
    ++dropped_;
    return;
  }
  control_due_ = control_due_ || (has_journal_ && !total());  // told when it cannot be forgotten
  control_.total = end.total;
  dropped_ += reorder_.drop_from(end.total);  // results of tasks that do not exist
}

void CollectorCore::on_bye(Epoch epoch, const Bye& bye, Instant now) {
  if (bye.worker == WorkerId{}) {
    if (epoch != epoch_ && !done_) return;
    producer_gone_ = true;
    const bool fewer = bye.begun_below && *bye.begun_below < control_.begun_below;
    if (fewer && !done_) set_begun_below(*bye.begun_below);
    if (!none_in_hand_since_) none_in_hand_since_ = now;
    senders_.erase(WorkerId{nonce_});
  } else {
    senders_.erase(bye.worker);
  }
}

std::unique_ptr<Result> CollectorCore::take_next() {
  if (!has_next()) return nullptr;
  if (reorder_.is_saved(reorder_.watermark())) taken_saved_.push_back(reorder_.watermark());
  auto next = reorder_.take_next();
  if (has_journal_) taken_hashes_.push_back(next->task_hash);
  ++counts_[static_cast<std::size_t>(next->outcome)];
  return next;
}

void CollectorCore::set_written() {
  written_ = reorder_.watermark();
  taken_saved_.clear();
  taken_hashes_.clear();
  ++safe_changes_;
}

void CollectorCore::set_saved(Index index, const JournalPlace& place) {
  reorder_.set_saved(index, place);
  ++safe_changes_;
}

void CollectorCore::advance(Instant now) {
  if (!has_job()) return;
  if (!head_since_ || head_ != watermark()) {
    head_ = watermark();
    head_since_ = now;
  }
  std::erase_if(senders_,
                [&](const auto& entry) { return now - entry.second.heard > kForgetPeer; });
  if (done_) {
    if (now - last_done_ < kRepeat) return;
    last_done_ = now;
    tell_producer_when_done(now);
    for (const auto& [id, sender] : senders_)
      send(sender.peer, encode(control_.job, epoch_, Done{counts_}));
    return;
  }
  update_room();
  tell_senders();
  tell_producer(now);
}

// Tight at three quarters, or when a result found no room; relaxed at half, and not before the
// watermark has moved: what was refused would only be sent and refused again.
void CollectorCore::update_room() {
  if (reorder_.is_nearly_full()) become_tight();
  const bool moved = reorder_.watermark() > tight_at_;
  if (!tight_ || !moved || !reorder_.is_half_empty()) return;
  tight_ = false;
  state_due_ = true;
}

void CollectorCore::become_tight() {
  state_due_ = state_due_ || !tight_;
  tight_ = true;
  tight_at_ = reorder_.watermark();
}

Index CollectorCore::admit_limit() const { return tight_ ? safe_watermark() + 1 : kMaxIndex; }

Index CollectorCore::safe_watermark() const {
  return has_journal_ ? written_ : reorder_.watermark();
}

// Written, or saved: then the sender may forget it.
bool CollectorCore::is_safe(Index index) const {
  if (!has_journal_ || index < written_ || reorder_.is_saved(index)) return true;
  return std::binary_search(taken_saved_.begin(), taken_saved_.end(), index);
}

void CollectorCore::acknowledge_safe(Sender& sender) {
  if (sender.safe_changes == safe_changes_) return;
  sender.safe_changes = safe_changes_;
  std::erase_if(sender.unsafe, [&](Index index) {
    const bool safe = is_safe(index);
    if (safe) sender.accepted.push_back(index);
    return safe;
  });
}

// A quarter of the memory may be under way to us, shared by those who send.
std::uint64_t CollectorCore::byte_window() const {
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 20;
  return std::max(kLeast, reorder_.memory_bytes() / 4 / std::max<std::size_t>(1, senders_.size()));
}

void CollectorCore::tell_senders() {
  for (auto& [id, sender] : senders_) {
    acknowledge_safe(sender);
    const bool news = !sender.accepted.empty() || !sender.refused.empty();
    const bool moved = sender.told_watermark != safe_watermark();
    // Who was told to wait is told when there is room, or when its result may have become the head.
    if (!news && !(sender.told_tight && (!tight_ || moved))) continue;
    Acks acks;
    acks.boot = boot_;
    acks.seq = ++seq_;
    acks.watermark = sender.told_watermark = safe_watermark();
    acks.admit_limit = admit_limit();
    acks.byte_window = byte_window();
    acks.accepted = index_set_of(sender.accepted);
    acks.refused = index_set_of(sender.refused);
    sender.told_tight = tight_;
    sender.accepted.clear();
    sender.refused.clear();
    send(sender.peer, encode(control_.job, epoch_, acks));
  }
}

void CollectorCore::drain(Instant now) {
  draining_since_ = now;
  // To be said again: what was handed out since may be under way.
  if (!producer_gone_) none_in_hand_since_.reset();
  state_due_ = true;
}

bool CollectorCore::drained(Instant now) const {
  if (!has_job()) return true;
  const bool compares = comparison_.compared() < comparison_.end();
  if (producer_gone_ && compares) return true;  // it handed out nothing
  if (now - std::max(last_result_, *draining_since_) < kQuiet) return false;
  if (none_in_hand_since_) return now - *none_in_hand_since_ >= kQuiet;
  return now - std::max(producer_heard_, *draining_since_) >= kGone;
}

void CollectorCore::set_done(Instant now) {
  done_ = true;
  done_at_ = now;
  last_done_ = now - kRepeat;  // said for the first time in this turn's advance()
}

std::vector<CollectorCore::Outgoing> CollectorCore::take_outgoing() {
  return std::exchange(outgoing_, {});
}

bool CollectorCore::over(Instant now) const {
  if (!done_ || now - done_at_ >= kFarewell) return done_;
  const auto is_awaited = [](const auto& entry) { return entry.second.is_awaited; };
  return producer_gone_ && std::none_of(senders_.begin(), senders_.end(), is_awaited);
}

void CollectorCore::unreachable(const PeerId& peer) {
  if (!done_) return;  // it may come back
  std::erase_if(senders_, [&](const auto& entry) { return entry.second.peer == peer; });
}

}  // namespace fetchline
