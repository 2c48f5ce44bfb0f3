#include "collector/collector_core.h"

#include <algorithm>
#include <utility>

#include "collector/json_text.h"
#include "proto/codec.h"

namespace fetchline {

CollectorCore::CollectorCore(const Settings& settings)
    : boot_(settings.boot), reorder_(settings.window, settings.memory_bytes) {}

void CollectorCore::on_message(const PeerId& peer, Received received, Instant now) {
  if (const auto* open = std::get_if<Open>(&received.message)) {
    on_open(peer, received.job, *open, now);
    return;
  }
  if (!job_ || received.job != *job_) {
    ++dropped_;
    return;
  }
  if (const auto* bye = std::get_if<Bye>(&received.message)) {
    on_bye(received.epoch, *bye);
  } else if (done_) {
    send(peer, encode(*job_, epoch_, Done{counts_}));
  } else if (auto* results = std::get_if<Results>(&received.message)) {
    on_results(peer, *results, now);
  } else if (const auto* end = std::get_if<End>(&received.message)) {
    on_end(received.epoch, *end);
  } else {
    ++dropped_;
  }
}

void CollectorCore::on_open(const PeerId& peer, const JobId& job, const Open& open, Instant now) {
  if (job.is_none() || (job_ && job != *job_)) return refuse(peer, job, Refused::Reason::busy);
  job_ = job;
  const auto [at, is_new] = epochs_.try_emplace(open.nonce, Epoch{});
  if (is_new) {
    epoch_ = Epoch{static_cast<std::uint32_t>(epoch_) + 1};
    at->second = epoch_;
    nonce_ = open.nonce;
  } else if (open.nonce != nonce_) {
    return refuse(peer, job, Refused::Reason::fenced);
  }
  producer_ = peer;
  producer_heard_ = now;
  producer_gone_ = false;
  in_hand_ = open.in_hand;
  if (done_) return send(peer, encode(*job_, epoch_, Done{counts_}));
  whole_state_due_ = true;
}

void CollectorCore::refuse(const PeerId& peer, const JobId& job, Refused::Reason reason) {
  send(peer, encode(job, epoch_, Refused{reason}));
}

void CollectorCore::on_results(const PeerId& peer, Results& message, Instant now) {
  Sender& sender = senders_[message.sender];
  sender.peer = peer;
  sender.heard = now;
  last_result_ = now;
  for (Result& result : message.results) {
    const Index index = result.index;
    const bool forged = !result.meta.empty() && !is_json_on_one_line(result.meta);
    if (forged || (total_ && index >= *total_)) {
      ++dropped_;
      continue;
    }
    switch (reorder_.store(std::move(result))) {
      case ReorderBuffer::Verdict::stored:
      case ReorderBuffer::Verdict::duplicate:
        sender.accepted.push_back(index);
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

void CollectorCore::on_end(Epoch epoch, const End& end) {
  state_due_ = true;
  const bool too_short = end.total < reorder_.watermark();
  if (epoch != epoch_ || too_short || (total_ && *total_ != end.total)) {
    ++dropped_;
    return;
  }
  total_ = end.total;
  dropped_ += reorder_.drop_from(end.total);  // results of tasks that do not exist
}

void CollectorCore::on_bye(Epoch epoch, const Bye& bye) {
  if (bye.worker == WorkerId{}) {
    if (epoch != epoch_) return;
    producer_gone_ = true;
    senders_.erase(WorkerId{nonce_});
  } else {
    senders_.erase(bye.worker);
  }
}

std::unique_ptr<Result> CollectorCore::take_next() {
  auto next = reorder_.take_next();
  if (next) ++counts_[static_cast<std::size_t>(next->outcome)];
  return next;
}

void CollectorCore::advance(Instant now) {
  if (!job_) return;
  std::erase_if(senders_,
                [&](const auto& entry) { return now - entry.second.heard > kForgetPeer; });
  if (done_) {
    if (now - last_done_ < kRepeat) return;
    last_done_ = now;
    if (!producer_gone_) send(producer_, encode(*job_, epoch_, Done{counts_}));
    for (const auto& [id, sender] : senders_)
      send(sender.peer, encode(*job_, epoch_, Done{counts_}));
    return;
  }
  update_room();
  tell_senders();
  tell_producer(now);
}

// Tight at three quarters, or when a result found no room; relaxed at half, and not before the
// watermark has moved: what was refused would only be sent and refused again.
void CollectorCore::update_room() {
  const std::size_t held = reorder_.held_bytes();
  if (held >= reorder_.memory_bytes() / 4 * 3) become_tight();
  const bool moved = reorder_.watermark() > tight_at_;
  if (!tight_ || !moved || held >= reorder_.memory_bytes() / 2) return;
  tight_ = false;
  state_due_ = true;
}

void CollectorCore::become_tight() {
  state_due_ = state_due_ || !tight_;
  tight_ = true;
  tight_at_ = reorder_.watermark();
}

Index CollectorCore::admit_limit() const { return tight_ ? reorder_.watermark() + 1 : kMaxIndex; }

// A quarter of the memory may be under way to us, shared by those who send.
std::uint64_t CollectorCore::byte_window() const {
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 20;
  return std::max(kLeast, reorder_.memory_bytes() / 4 / std::max<std::size_t>(1, senders_.size()));
}

void CollectorCore::tell_senders() {
  for (auto& [id, sender] : senders_) {
    const bool news = !sender.accepted.empty() || !sender.refused.empty();
    const bool moved = sender.told_watermark != reorder_.watermark();
    // Who was told to wait is told when there is room, or when its result may have become the head.
    if (!news && !(sender.told_tight && (!tight_ || moved))) continue;
    Acks acks;
    acks.boot = boot_;
    acks.seq = ++seq_;
    acks.watermark = sender.told_watermark = reorder_.watermark();
    acks.admit_limit = admit_limit();
    acks.byte_window = byte_window();
    acks.accepted = index_set_of(sender.accepted);
    acks.refused = index_set_of(sender.refused);
    sender.told_tight = tight_;
    sender.accepted.clear();
    sender.refused.clear();
    send(sender.peer, encode(*job_, epoch_, acks));
  }
}

bool CollectorCore::has_news() const {
  return !done_ && (state_due_ || told_watermark_ != reorder_.watermark());
}

void CollectorCore::tell_producer(Instant now) {
  if (!whole_state_due_ && !(has_news() && now - last_state_ >= kStateInterval)) return;
  State state;
  state.boot = boot_;
  state.nonce = nonce_;
  state.seq = ++seq_;
  state.watermark = reorder_.watermark();
  state.dispatch_limit = state.watermark + (tight_ ? 1 : reorder_.window());
  if (draining_since_) state.dispatch_limit = 0;
  state.total = total_;
  if (whole_state_due_) state.committed = reorder_.indices(kMaxRanges);
  send(producer_, encode(*job_, epoch_, state));
  state_due_ = false;
  whole_state_due_ = false;
  told_watermark_ = state.watermark;
  last_state_ = now;
}

void CollectorCore::drain(Instant now) {
  draining_since_ = now;
  state_due_ = true;
}

bool CollectorCore::drained(Instant now) const {
  if (!job_ || (producer_gone_ && senders_.empty())) return true;
  if (now - std::max(last_result_, *draining_since_) < kQuiet) return false;
  const bool said_none = producer_heard_ > *draining_since_ && in_hand_ == 0;
  return said_none || now - std::max(producer_heard_, *draining_since_) >= kGone;
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
  return done_ && ((producer_gone_ && senders_.empty()) || now - done_at_ >= kFarewell);
}

}  // namespace fetchline
