// What the collector and the producer say to each other: opening, resuming, State.
#include <algorithm>
#include <utility>

#include "collector/collector_core.h"
#include "proto/codec.h"

namespace fetchline {

void CollectorCore::on_open(const PeerId& peer, const Received& received, const Open& open,
                            Instant now) {
  const JobId& job = received.job;
  const bool takes_ours = has_job() && open.resume;
  if (!takes_ours && (job.is_none() || (has_job() && job != control_.job))) {
    return refuse(peer, job, {.reason = Refused::Reason::busy});
  }
  if (!has_job()) control_.job = job;
  if (done_) return on_open_when_done(peer, open, now);
  if (!control_.epochs.contains(open.nonce)) {
    const bool outdated = epoch_ != Epoch{} && received.epoch != epoch_;
    if (outdated) return refuse_outdated(peer);
    begin_epoch(open);
  } else if (open.nonce != nonce_) {
    return refuse(peer, control_.job, {.reason = Refused::Reason::fenced});
  } else if (const auto& differs = comparison_.differs()) {
    return refuse(peer, control_.job, {Refused::Reason::other_input, *differs});
  } else if (open.resume && !comparison_begun_) {
    begin_comparison(open);  // what an earlier collector had compared is not known
  }
  producer_ = peer;
  producer_heard_ = now;
  producer_gone_ = false;
  if (open.in_hand > 0) none_in_hand_since_.reset();
  if (open.in_hand == 0 && !none_in_hand_since_) none_in_hand_since_ = now;
  whole_state_due_ = true;
}

// A first Open may be late, and its sender dead: it must not end an epoch that it knows nothing of.
// One that could be forgotten is not told.
void CollectorCore::refuse_outdated(const PeerId& peer) {
  if (!epoch_due_) refuse(peer, control_.job, {.reason = Refused::Reason::outdated});
}

void CollectorCore::begin_epoch(const Open& open) {
  epoch_ = Epoch{static_cast<std::uint32_t>(epoch_) + 1};
  nonce_ = open.nonce;
  control_.epochs[nonce_] = epoch_;
  control_.begun_before = control_.begun_below;
  control_due_ = epoch_due_ = has_journal_;
  begin_comparison(open);
}

// Granted when it cannot be forgotten: whoever comes after this producer must know what may have
// been requested. Nothing beyond the window is handed out.
void CollectorCore::on_begin(Epoch epoch, const Begin& begin) {
  if (epoch != epoch_ || begin.below > reorder_.watermark() + reorder_.window()) {
    ++dropped_;
    return;
  }
  state_due_ = true;
  if (begin.below > control_.begun_below) set_begun_below(begin.below);
}

void CollectorCore::set_begun_below(Index mark) {
  control_.begun_below = mark;
  control_due_ = has_journal_;
  if (!has_journal_) begun_below_ = mark;
}

void CollectorCore::begin_comparison(const Open& open) {
  comparison_begun_ = true;
  comparison_.begin(open.resume ? reorder_.end() : 0);
}

// Who resumes is told that the job is done when its input is the one that was fetched. What the
// newest producer has to show is not the matter of those before it.
void CollectorCore::on_open_when_done(const PeerId& peer, const Open& open, Instant now) {
  const bool is_new = !control_.epochs.contains(open.nonce);
  if (!is_new && open.nonce != nonce_) {
    return refuse(peer, control_.job, {.reason = Refused::Reason::fenced});
  }
  producer_ = peer;
  producer_gone_ = false;
  done_at_ = now;
  if (is_new) {
    control_.epochs[open.nonce] = epoch_;
    nonce_ = open.nonce;
    comparison_.begin(open.resume && chain_ ? reorder_.watermark() : 0, chain_);
  }
  if (open.input_gone) comparison_.begin(0);
  tell_producer_when_done(now);
}

void CollectorCore::tell_producer_when_done(Instant now) {
  if (producer_gone_ || producer_.empty()) return;
  if (const auto& differs = comparison_.differs()) {
    refuse(producer_, control_.job, {Refused::Reason::other_input, *differs});
  } else if (comparison_.over()) {
    send(producer_, encode(control_.job, epoch_, Done{counts_}));
  } else {
    whole_state_due_ = true;  // nothing is left that could be missing
    tell_state(now);
  }
}

void CollectorCore::refuse(const PeerId& peer, const JobId& job, const Refused& refused) {
  send(peer, encode(job, epoch_, refused));
}

void CollectorCore::compare(const Recap& recap, const std::vector<std::uint64_t>& known,
                            Instant now) {
  std::vector<std::uint64_t> hashes = known;
  for (Index index = recap.first + known.size(); hashes.size() < recap.hashes.size(); ++index) {
    hashes.push_back(task_hash(index));
  }
  comparison_.compare(recap, hashes);
  state_due_ = true;
  if (done_) {
    done_at_ = now;
    last_done_ = now - kRepeat;
  }
  if (const auto& differs = comparison_.differs()) {
    refuse(producer_, control_.job, {Refused::Reason::other_input, *differs});
  }
}

// 0: not known. What was taken and is not written is in no file that could be read.
std::uint64_t CollectorCore::task_hash(Index index) const {
  if (index < written_) return 0;
  const Index taken = index - written_;
  return taken < taken_hashes_.size() ? taken_hashes_[taken] : reorder_.task_hash(index);
}

bool CollectorCore::has_news() const {
  return !done_ && (state_due_ || told_watermark_ != safe_watermark());
}

void CollectorCore::tell_producer(Instant now) {
  // An epoch that could be forgotten is not told.
  if (epoch_due_ || comparison_.differs()) return;
  const bool granted = told_begun_below_ != begun_below_;  // workers wait for it
  const bool at_once = whole_state_due_ || granted;
  if (!at_once && !(has_news() && now - last_state_ >= kStateInterval)) return;
  tell_state(now);
}

void CollectorCore::tell_state(Instant now) {
  State state;
  state.boot = boot_;
  state.nonce = nonce_;
  state.seq = ++seq_;
  state.log = control_.log;
  state.watermark = safe_watermark();
  state.dispatch_limit = state.watermark + (tight_ ? 1 : reorder_.window());
  if (next_wanted_) {
    state.dispatch_limit = std::min(state.dispatch_limit, *next_wanted_ + reorder_.window());
  }
  if (draining_since_) state.dispatch_limit = 0;
  if (!control_due_) state.total = total();  // nor a total
  state.compare_to = comparison_.end();
  state.compared = comparison_.compared();
  state.begun_below = told_begun_below_ = begun_below_;
  state.begun_before = control_.begun_before;
  state.whole = whole_state_due_;
  if (whole_state_due_) state.committed = committed();
  send(producer_, encode(control_.job, epoch_, state));
  state_due_ = false;
  whole_state_due_ = false;
  told_watermark_ = state.watermark;
  last_state_ = now;
}

void CollectorCore::set_next_wanted(Index record) {
  if (next_wanted_ == record) return;
  next_wanted_ = record;
  state_due_ = true;
}

// Beyond the watermark; never less than was told before.
IndexSet CollectorCore::committed() const {
  IndexSet set;
  for (const Index index : taken_saved_) set.insert(index);
  const std::size_t room = kMaxRanges - std::min(kMaxRanges, set.ranges().size());
  const IndexSet waiting = reorder_.indices(room);
  for (const IndexRange& range : waiting.ranges()) set.insert(range);
  return set;
}

}  // namespace fetchline
