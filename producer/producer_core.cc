#include "producer/producer_core.h"

#include <algorithm>
#include <utility>

namespace fetchline {

ProducerCore::ProducerCore(Settings settings)
    : settings_(std::move(settings)),
      random_(settings_.nonce),
      job_(settings_.job),
      comparison_(settings_.resume) {}

// What is to be compared is read whatever was not handed out before it.
bool ProducerCore::wants_input() const {
  if (input_ended_ || !dispatching_) return false;
  if (phase_ == Phase::comparing && ledger_.next_index() < comparison_.compare_to()) {
    return comparison_.wants_more();
  }
  return ledger_.unsent() < kReadAheadTasks && ledger_.unsent_bytes() < kReadAheadBytes;
}

void ProducerCore::add(Task task, std::string fault) {
  comparison_.add(task.hash);
  const Repetition repetition = repetition_of(settings_.job_settings, task);
  ledger_.add(std::move(task), std::move(fault), repetition);
}

bool ProducerCore::is_working() const {
  return phase_ == Phase::opening || phase_ == Phase::comparing || phase_ == Phase::running;
}

bool ProducerCore::collector_is_well(Instant now) const {
  return now - collector_heard_ < kCollectorGap && now - collector_back_ >= kCollectorWell;
}

// The job that the collector has, in its answer to our Open.
bool ProducerCore::adopts(const Received& received) const {
  if (!settings_.resume || phase_ != Phase::opening || received.job.is_none()) return false;
  const auto* state = std::get_if<State>(&received.message);
  const auto* refused = std::get_if<Refused>(&received.message);
  return (state != nullptr && state->nonce == settings_.nonce) ||
         (refused != nullptr && (refused->reason == Refused::Reason::other_input ||
                                 refused->reason == Refused::Reason::outdated)) ||
         std::holds_alternative<Done>(received.message);
}

void ProducerCore::on_collector_message(Received received, Instant now) {
  if (adopts(received)) job_ = received.job;
  if (received.job != job_) {
    ++dropped_;
    return;
  }
  if (now - collector_heard_ >= kCollectorGap) collector_back_ = now;
  collector_heard_ = now;
  if (const auto* state = std::get_if<State>(&received.message)) {
    on_state(received.epoch, *state, now);
  } else if (const auto* acks = std::get_if<Acks>(&received.message)) {
    outbox_.on_acks(*acks, now);
  } else if (const auto* done = std::get_if<Done>(&received.message)) {
    on_done(*done, now);
  } else if (const auto* refused = std::get_if<Refused>(&received.message)) {
    on_refused(received.epoch, *refused);
  } else {
    ++dropped_;
  }
}

// A busy collector may be free soon; the rest is for ever.
void ProducerCore::on_refused(Epoch epoch, const Refused& refused) {
  collector_busy_ = refused.reason == Refused::Reason::busy;
  if (refused.reason == Refused::Reason::outdated) open_after(epoch);
  if (collector_busy_ || !is_working()) return;
  if (refused.reason == Refused::Reason::fenced) phase_ = Phase::fenced;
  if (refused.reason == Refused::Reason::other_input) {
    end_as_other_input(Difference::other_task, refused.index);
  }
}

// Who asks for an epoch says which one it ends, so that a late Open ends none.
void ProducerCore::open_after(Epoch epoch) {
  if (epoch == claimed_) return;
  claimed_ = epoch;
  last_open_ = {};
}

void ProducerCore::end_as_other_input(Difference difference, Index index) {
  phase_ = Phase::other_input;
  difference_ = difference;
  other_input_at_ = index;
}

// With the log it had, a collector that began anew lacks nothing, and senders send again what it
// had not acknowledged. With another one all may be lost that was handed out; what it has, only a
// whole State says.
bool ProducerCore::is_judgeable(const State& state) const {
  const bool same = state.boot == boot_ || boot_ == BootId{};
  return same || is_our_log(state) || state.whole;
}

bool ProducerCore::is_our_log(const State& state) const {
  return state.log != 0 && state.log == log_;
}

bool ProducerCore::survives_new_boot(const State& state) const {
  return is_our_log(state) || !ledger_.may_lack_result(state.watermark, state.committed);
}

// It was said before the collector started anew. Its facts stay true if the log is the same. After
// a finished output, which has no log, comes none that has one.
bool ProducerCore::is_of_before(const State& state, Instant now) const {
  const bool has_log = state.log != 0;
  if (has_log && finished_heard_ && now - *finished_heard_ < kLateState) return true;
  const auto at = boots_before_.find(state.boot);
  return at != boots_before_.end() && now - at->second < kLateState;
}

void ProducerCore::follow(const State& state, Instant now) {
  if (state.boot != boot_ && boot_ != BootId{}) boots_before_[boot_] = now;
  boots_before_.erase(state.boot);
  boot_ = state.boot;
  log_ = state.log;
  if (log_ == 0 && state.total == state.watermark) finished_heard_ = now;
}

void ProducerCore::on_state(Epoch epoch, const State& state, Instant now) {
  if (state.nonce != settings_.nonce || !is_working() || !is_judgeable(state)) return;
  const bool late = is_of_before(state, now);
  if (late && !is_our_log(state)) return;
  if (state.boot != boot_ && boot_ != BootId{} && !survives_new_boot(state)) {
    phase_ = Phase::forgotten;
    return;
  }
  collector_busy_ = false;
  ledger_.commit(state.committed);
  ledger_.commit_below(state.watermark);
  if (late || (state.boot == boot_ && state.seq < state_seq_)) return;
  comparison_.on_state(state.compared, state.compare_to, now);
  if (phase_ != Phase::running) phase_ = comparison_.over() ? Phase::running : Phase::comparing;
  if (phase_ == Phase::running) comparison_.keep_no_more();
  if (epoch != epoch_) begin_epoch(epoch, state.begun_before, now);
  follow(state, now);
  state_seq_ = state.seq;
  watermark_ = state.watermark;
  dispatch_limit_ = std::min(state.dispatch_limit, state.watermark + settings_.window);
  may_begin_below_ = state.begun_below;
  total_ = state.total;
}

// What workers hold of an older epoch they drop or deliver by themselves.
void ProducerCore::begin_epoch(Epoch epoch, Index begun_before, Instant now) {
  for (const auto& [id, worker] : workers_) ledger_.worker_lost(id);
  if (epoch_ != Epoch{}) workers_.clear();
  silent_workers_.clear();
  epoch_ = claimed_ = epoch;
  doubt_below(begun_before, now);
}

void ProducerCore::end_of_input() {
  input_ended_ = true;
  if (phase_ == Phase::comparing) last_open_ = {};  // it may be done: ask
}

void ProducerCore::on_done(const Done& done, Instant now) {
  // The input may go on where that of the job ended. It is said again.
  if (phase_ == Phase::comparing && !input_ended_ && !input_gone_) return;
  if (!is_working() && phase_ != Phase::done) return;  // it has ended otherwise
  to_collector(encode(job_, epoch_, Bye{}));
  if (phase_ == Phase::done) return;
  phase_ = Phase::done;
  counts_ = done.counts;
  done_at_ = now;
  for (auto& [id, worker] : workers_) {
    to_worker(worker.peer(), encode(job_, epoch_, Done{counts_}));
  }
}

void ProducerCore::advance(Instant now, std::chrono::milliseconds wall_clock) {
  wall_clock_ = wall_clock;
  if (!more_to_hear_) lose_silent_workers(now);
  check_input_end();
  speak_to_collector(now);
  if (phase_ == Phase::opening) answer_logins();
  if (phase_ == Phase::comparing) answer_heartbeats(now);
  if (phase_ != Phase::running) return;
  ledger_.release_due(now);
  judge_doubtful(now);
  if (dispatching_) dispatch(now);
  answer_heartbeats(now);
  outbox_.advance(now);
}

// An input that ends elsewhere than it did differs there.
void ProducerCore::check_input_end() {
  if (!settings_.resume || (phase_ != Phase::comparing && phase_ != Phase::running)) return;
  const Index read = ledger_.next_index();
  const Index least = std::max(comparison_.compare_to(), total_.value_or(0));
  if (input_ended_ && read < least) end_as_other_input(Difference::ends_early, read);
  if (total_ && read > *total_) end_as_other_input(Difference::goes_on, *total_);
}

std::optional<Frames> ProducerCore::next_results(Instant now) {
  if (phase_ != Phase::running) return std::nullopt;
  return outbox_.next_batch(job_, epoch_, WorkerId{settings_.nonce}, now);
}

void ProducerCore::speak_to_collector(Instant now) {
  // Repeated for ever: it asks for the whole state, is our sign of life, and tells a collector that
  // we reconnected to where its answers have to go.
  if (is_working() && now - last_open_ >= kRepeat) {
    last_open_ = now;
    const Open open{settings_.nonce, ledger_.leased(), settings_.resume, input_gone_};
    to_collector(encode(job_, claimed_, open));
  }
  if (phase_ == Phase::comparing || phase_ == Phase::running) {
    while (const auto recap = comparison_.next(now)) to_collector(encode(job_, epoch_, *recap));
  }
  if (phase_ == Phase::running && input_ended_ && !total_ && now - last_end_ >= kRepeat) {
    last_end_ = now;
    to_collector(encode(job_, epoch_, End{ledger_.next_index()}));
  }
}

std::uint64_t ProducerCore::finished() const {
  return phase_ == Phase::done ? ledger_.next_index() : watermark_;
}

// The ledger's may be some that are safe and wait to be put out.
std::uint64_t ProducerCore::failed() const {
  if (phase_ == Phase::done) return total_of(counts_) - ok_of(counts_);
  return std::min(ledger_.failed(), finished());
}

void ProducerCore::leave() {
  to_collector(encode(job_, epoch_, Bye{.begun_below = ledger_.in_doubt_below()}));
  for (auto& [id, worker] : workers_) {
    to_worker(worker.peer(), encode(job_, epoch_, Bye{}));
  }
}

std::vector<ProducerCore::Outgoing> ProducerCore::take_outgoing() {
  return std::exchange(outgoing_, {});
}

bool ProducerCore::over(Instant now) const {
  if (phase_ != Phase::done || now - done_at_ < settings_.late_logins) return false;
  const auto is_awaited = [](const auto& entry) { return entry.second.joined(); };
  return now - done_at_ >= kFarewell || std::none_of(workers_.begin(), workers_.end(), is_awaited);
}

bool ProducerCore::drained() const {
  return ledger_.leased() == 0 && outbox_.empty() && !ledger_.awaits_unrepeatable();
}

}  // namespace fetchline
