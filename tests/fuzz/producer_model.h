// What must hold of a ProducerCore, whoever says what to it: what it may hand out, to whom, and
// what it may say. It is told what the core hears and looks at what the core says.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "producer/producer_core.h"
#include "tests/fuzz/events.h"

namespace fetchline::fuzz {

enum class TaskKind : std::uint8_t { get, post, faulty };
using TaskKinds = std::array<TaskKind, kIndices>;

class ProducerModel {
 public:
  using Phase = ProducerCore::Phase;

  // The core and the kinds outlive it. `honest`: peers do what the protocol says.
  ProducerModel(const ProducerCore& core, const ProducerCore::Settings& settings, bool honest,
                const TaskKinds& kinds)
      : core_(core), settings_(settings), honest_(honest), kinds_(kinds), job_(settings.job) {}

  [[nodiscard]] const JobId& job() const { return job_; }  // that the core speaks of
  [[nodiscard]] WorkerId who_is(const PeerId& peer) const { return senders_.at(peer); }

  // ---- what the core is about to hear

  void note_adopted(const Received& received) {
    const auto* state = std::get_if<State>(&received.message);
    const auto* refused = std::get_if<Refused>(&received.message);
    const bool answers = (state != nullptr && state->nonce == settings_.nonce) ||
                         (refused != nullptr && (refused->reason == Refused::Reason::other_input ||
                                                 refused->reason == Refused::Reason::outdated)) ||
                         std::holds_alternative<Done>(received.message);
    const bool adopts = settings_.resume && core_.phase() == Phase::opening;
    if (adopts && answers && !received.job.is_none()) job_ = received.job;
  }

  // Whether the core will go by it.
  [[nodiscard]] bool counts(const Received& received, const State& state, Instant now) const {
    const bool is_known = state_boot_ == BootId{} || state.boot == state_boot_ ||
                          (state.log != 0 && state.log == state_log_) || state.whole;
    return is_working() && received.job == job_ && state.nonce == settings_.nonce && is_known &&
           !(is_late(state, now) && (state.log == 0 || state.log != state_log_));
  }

  // What allows that something unsafe is requested again: its worker said that it did not, or the
  // message it was in is lost for certain.
  void note_heartbeat(const PeerId& peer, const Heartbeat& says) {
    senders_[peer] = says.worker;
    for (const Report& report : says.reports) {
      if (report.verdict != Report::Verdict::delivered) given_.erase(report.index);
    }
    std::uint64_t& newest = newest_received_[says.worker];
    if (!says.received.empty()) newest = std::max(newest, says.received.ranges().back().last);
    std::erase_if(given_, [&](const auto& given) {
      const auto& [worker, seq] = given.second;
      // Who says that it has what was never sent, and then logs in anew, may say anything.
      const bool arrived = honest_ && says.received.contains(seq);
      return worker == says.worker && seq < newest && !arrived;
    });
  }

  // ---- what it has heard

  void note_state(const State& state, Instant now) {
    if (core_.phase() == Phase::forgotten) return;
    for (const IndexRange& range : state.committed.ranges()) committed_.insert(range);
    if (state.watermark > 0) committed_.insert(IndexRange{0, state.watermark - 1});
    if (is_late(state, now) || (state.boot == state_boot_ && state.seq < state_seq_)) return;
    if (state.boot != state_boot_ && state_boot_ != BootId{}) boots_before_[state_boot_] = now;
    if (state.log == 0 && state.total == state.watermark) finished_heard_ = now;
    boots_before_.erase(state.boot);
    state_boot_ = state.boot;
    state_seq_ = state.seq;
    state_log_ = state.log;
    limit_ = std::min(state.dispatch_limit, state.watermark + settings_.window);
    begun_below_ = state.begun_below;
  }

  // ---- what it says and is

  void check_standing(Phase before) const {
    const bool ended = before == Phase::done || before == Phase::fenced ||
                       before == Phase::forgotten || before == Phase::other_input;
    check(!ended || core_.phase() == before, "an end is one");
    check(core_.in_flight() <= 2 * core_.next_index(), "a task is with two workers at most");
    check(core_.worker_count() > 0 || core_.in_flight() == 0, "nobody holds nothing");
  }

  void check_answer_without_job(const PeerId& worker, const Received& received) const {
    const auto* tasks = std::get_if<Tasks>(&received.message);
    check(tasks != nullptr && tasks->tasks.empty() && received.epoch == Epoch{}, "it says nothing");
    check(!worker.empty(), "to those who say hello");
  }

  void check_word_to_worker(const Received& received) const {
    if (const auto* tasks = std::get_if<Tasks>(&received.message)) {
      check(tasks->tasks.empty() || tasks->seq > 0, "messages with tasks are counted");
    } else {
      check(std::holds_alternative<Done>(received.message) && core_.phase() == Phase::done,
            "done is done");
    }
  }

  void check_word_to_collector(const Received& received, bool input_ended) const {
    if (const auto* open = std::get_if<Open>(&received.message)) {
      check(open->nonce == settings_.nonce && open->resume == settings_.resume, "who asks");
    } else if (const auto* end = std::get_if<End>(&received.message)) {
      check(input_ended && end->total == core_.next_index(), "the input ended there");
    } else if (const auto* begin = std::get_if<Begin>(&received.message)) {
      check(core_.phase() == Phase::running && begin->below <= core_.next_index(), "of tasks");
    } else if (const auto* recap = std::get_if<Recap>(&received.message)) {
      for (std::size_t i = 0; i < recap->hashes.size(); ++i) {
        const std::uint64_t hash = recap->hashes[i];
        check(hash == 0 || hash == 100 + 2 * (recap->first + i), "whose hash it is");
      }
    } else {
      check(std::holds_alternative<Bye>(received.message), "nothing else is said");
    }
  }

  void check_task(const Task& task, WorkerId worker, std::uint64_t seq) {
    const Index index = task.index;
    check(core_.phase() == Phase::running, "work is handed out while the job runs");
    check(task.url == "http://h/" + std::to_string(index), "it is the task of the input");
    check(index < core_.next_index() && index < limit_, "below the limit");
    check(!committed_.contains(index), "what is committed is not handed out");
    check(kinds_.at(index) != TaskKind::faulty && !decided_.contains(index), "nor what is decided");
    const bool few = task.attempt <= settings_.retry.retries + 1;
    check(task.attempt >= 1 && (few || !honest_), "no more attempts than are allowed");
    if (kinds_.at(index) != TaskKind::post || settings_.job_settings.retry_unsafe) return;
    check(index < begun_below_, "it is on record that it may be requested");
    check(given_.emplace(index, std::pair(worker, seq)).second, "never requested twice");
  }

  void check_decided(const Result& result) {
    check(result.index < core_.next_index(), "a result is of a task");
    const bool faulty = kinds_.at(result.index) == TaskKind::faulty;
    check(result.outcome == (faulty ? Outcome::invalid_task : Outcome::abandoned),
          "only what cannot be handed out ends here");
    decided_.insert(result.index);
  }

 private:
  [[nodiscard]] bool is_working() const {
    return core_.phase() == Phase::opening || core_.phase() == Phase::comparing ||
           core_.phase() == Phase::running;
  }

  // Said by a collector before another one was heard, or before a finished output was.
  [[nodiscard]] bool is_late(const State& state, Instant now) const {
    const auto lately = [now](Instant then) { return now - then < ProducerCore::kLateState; };
    if (state.log != 0 && finished_heard_ && lately(*finished_heard_)) return true;
    const auto at = boots_before_.find(state.boot);
    return at != boots_before_.end() && lately(at->second);
  }

  const ProducerCore& core_;
  const ProducerCore::Settings& settings_;
  const bool honest_;
  const TaskKinds& kinds_;
  JobId job_;
  IndexSet committed_;
  std::map<BootId, Instant> boots_before_;
  std::optional<Instant> finished_heard_;
  Index limit_ = 0;
  Index begun_below_ = 0;
  BootId state_boot_{};
  std::uint64_t state_seq_ = 0, state_log_ = 0;
  std::set<Index> decided_;
  std::map<Index, std::pair<WorkerId, std::uint64_t>> given_;  // unsafe ones: to whom, in which
  std::map<WorkerId, std::uint64_t> newest_received_;
  std::map<PeerId, WorkerId> senders_;  // also by connections that are gone
};

}  // namespace fetchline::fuzz
