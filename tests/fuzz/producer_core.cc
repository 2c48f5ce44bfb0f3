// A ProducerCore among workers and a collector. Some runs are honest: peers do what the protocol
// says, messages get lost, workers fall silent and come back; when the events are used up all goes
// well, and then the job must end. In the others everybody says anything. See proto/PROTOCOL.md, 6.
// The input: settings, the tasks, then events.
#include "producer/producer_core.h"

#include <array>
#include <set>

#include "tests/fuzz/events.h"
#include "tests/fuzz/fields.h"
#include "tests/fuzz/producer_model.h"
#include "tests/fuzz/producer_peers.h"
#include "tests/fuzz/producer_words.h"

namespace fetchline::fuzz {
namespace {

using Phase = ProducerCore::Phase;

constexpr std::uint64_t kNonce = 77;
const JobId kJob = job_number(1);

class Scene {
 public:
  explicit Scene(Bytes input)
      : input_(input),
        settings_(settings_of(input_)),
        honest_(input_.flip()),
        core_(settings_),
        model_(core_, settings_, honest_, kinds_) {
    if (settings_.resume) collector_.begun_below = collector_.begun_before = kIndices / 2;
    for (TaskKind& kind : kinds_) kind = kKinds[input_.below(std::size(kKinds))];
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i].peer = std::string(1, static_cast<char>('a' + i));
      workers_[i].says.worker = WorkerId{1 + i};
      workers_[i].says.name = "worker:" + workers_[i].peer;
      workers_[i].says.slots = 1U + input_.below(3);
      workers_[i].says.backlog = input_.below(3);
    }
  }

  void play() {
    while (!input_.empty() && !core_.over(now_)) {
      const Phase before = core_.phase();
      honest_ ? honest_event() : event();
      look(before);
    }
    if (honest_) end_well();
  }

 private:
  static constexpr TaskKind kKinds[] = {TaskKind::get, TaskKind::get, TaskKind::get, TaskKind::post,
                                        TaskKind::faulty};

  static ProducerCore::Settings settings_of(Bytes& input) {
    ProducerCore::Settings settings;
    settings.job = kJob;
    settings.resume = input.flip();
    settings.nonce = kNonce;
    settings.retry.retries = input.below(3);
    settings.job_settings.retry_unsafe = input.flip();
    settings.job_settings.max_time = std::chrono::seconds(input.flip() ? 60 : 1);
    settings.window = input.flip() ? kMaxIndex : 1U + input.below(kIndices);
    settings.name = "producer:1";
    return settings;
  }

  // ---- what happens in any run

  void add() {
    if (!core_.wants_input()) return;
    const Index index = core_.next_index();
    if (index == kIndices) return end_input();
    Task task;
    task.url = "http://h/" + std::to_string(index);
    task.hash = 100 + 2 * index;
    if (kinds_.at(index) == TaskKind::post) task.method = "POST";
    if (kinds_.at(index) == TaskKind::faulty) return core_.add(std::move(task), "line 1: bad");
    core_.add(std::move(task));
  }
  void end_input() {
    if (input_ended_) return;
    input_ended_ = true;
    core_.end_of_input();
  }

  void advance() { core_.advance(now_, std::chrono::milliseconds(123)); }

  void send_results() {
    while (auto frames = core_.next_results(now_)) {
      const Received received = heard(std::move(*frames));
      const auto& message = std::get<Results>(received.message);
      check(message.sender == WorkerId{kNonce} && received.job == model_.job(), "who made them");
      for (const Result& result : message.results) model_.check_decided(result);
      const auto fate = input_.below(4);
      if (fate == 0) return core_.results_not_sent();
      const bool arrives = fate != 1 && honest_;
      for (const Result& result : message.results) {
        if (arrives) collector_.take(result.index);
      }
    }
  }

  // ---- an honest run

  void honest_event() {
    switch (input_.below(12)) {
      case 0:
        for (std::size_t i = input_.below(6); i < 6; ++i) add();
        break;
      case 1:
      case 2:
        beat(worker());
        break;
      case 3:
      case 4:
        report(worker());
        break;
      case 5:
        now_ += time_step(input_);
        [[fallthrough]];
      case 6:
        advance();
        break;
      case 7:
        send_results();
        break;
      case 8:
        say_state(input_.flip());
        break;
      case 9:
        commit();
        break;
      case 10:
        lossy_ = input_.byte();
        break;
      default:
        seldom();
    }
  }

  WorkerPeer& worker() {
    return workers_.at(input_.below(static_cast<std::uint8_t>(workers_.size())));
  }

  void beat(WorkerPeer& worker) {
    ++worker.says.seq;
    if (input_.flip()) {
      worker.says.queued.emplace();
    } else {
      worker.says.queued.reset();
    }
    if (input_.below(8) == 0) return;  // lost
    model_.note_heartbeat(worker.peer, worker.says);
    core_.on_worker_message(worker.peer, {worker.job, worker.epoch, worker.says}, now_);
  }

  // Of a task that it holds; then it says so.
  void report(WorkerPeer& worker) {
    if (!worker.holds.empty()) {
      auto at = worker.holds.begin();
      std::advance(at, input_.below(static_cast<std::uint8_t>(worker.holds.size())));
      const auto verdict = static_cast<Report::Verdict>(input_.below(3));
      end_task(worker, at->first, verdict);
    }
    beat(worker);
  }
  void end_task(WorkerPeer& worker, Index index, Report::Verdict verdict) {
    if (worker.end_task(index, verdict)) on_their_way_.insert(index);
  }

  void commit() {  // one of the results that workers sent
    if (on_their_way_.empty()) return;
    auto at = on_their_way_.begin();
    std::advance(at, input_.below(static_cast<std::uint8_t>(on_their_way_.size())));
    collector_.take(*at);
    on_their_way_.erase(at);
  }

  void say_state(bool whole) { says(collector_.epoch, collector_.next_state(kNonce, whole)); }

  void seldom() {
    switch (input_.below(6)) {
      case 0: {  // a worker dies, and another begins in its place
        WorkerPeer& dead = worker();
        dead.says.worker = WorkerId{100 + ++deaths_};
        dead.forget();
        dead.says.seq = 0;
        dead.peer += '\'';
        return;
      }
      case 1:  // loses its session
        return worker().forget();
      case 2:  // connects anew
        worker().peer += '\'';
        return;
      case 3:
        collector_.limit = input_.flip() ? kMaxIndex : small_index(input_);
        return;
      case 4:  // a collector starts anew, with its log
        collector_.begin_anew();
        return say_state(true);
      default:
        return core_.collector_unreached();
    }
  }
  // Nothing is lost any more, everybody works, and the job ends.
  void end_well() {
    lossy_ = 0;
    calm_ = true;
    collector_.limit = kMaxIndex;
    for (int turns = 0; turns < 3'000 && core_.phase() != Phase::done; ++turns) {
      const Phase before = core_.phase();
      now_ += std::chrono::milliseconds(500);
      for (int i = 0; i < 4; ++i) add();
      turn_well();
      look(before);
    }
    check(core_.phase() == Phase::done, "the job ends");
    check(collector_.watermark() == kIndices, "with all of its tasks");
  }
  void turn_well() {
    for (WorkerPeer& worker : workers_) {
      while (!worker.holds.empty()) {
        end_task(worker, worker.holds.begin()->first, Report::Verdict::delivered);
      }
      ++worker.says.seq;
      worker.says.queued.emplace();
      model_.note_heartbeat(worker.peer, worker.says);
      core_.on_worker_message(worker.peer, {worker.job, worker.epoch, worker.says}, now_);
    }
    for (const Index index : std::exchange(on_their_way_, {})) collector_.take(index);
    say_state(true);
    advance();
    bool heard_results = false;
    while (auto frames = core_.next_results(now_)) {
      const Received received = heard(std::move(*frames));
      for (const Result& result : std::get<Results>(received.message).results) {
        model_.check_decided(result);
        collector_.take(result.index);
      }
      heard_results = true;
    }
    if (heard_results) {
      core_.on_collector_message({kJob, collector_.epoch, collector_.next_acks()}, now_);
    }
    collector_.done = collector_.total && collector_.watermark() == *collector_.total;
    if (collector_.done) core_.on_collector_message({kJob, collector_.epoch, Done{}}, now_);
  }

  // ---- a run in which anything is said

  void event() {
    switch (input_.below(12)) {
      case 0:
        for (std::size_t i = input_.below(6); i < 6; ++i) add();
        break;
      case 1:
        return say_any_heartbeat();
      case 2:
        return report(worker());
      case 3:
        return beat(worker());
      case 4:
        now_ += time_step(input_);
        return advance();
      case 5:
        return advance();
      case 6:
        return send_results();
      case 7:
      case 8:
        return say_any_state();
      case 9:
        return say_any_acks();
      case 10:
        return say_any_word();
      default:
        return seldom_any();
    }
  }

  JobId any_job() { return input_.below(6) == 0 ? job_number(input_.below(3)) : model_.job(); }

  void say_any_heartbeat() {
    const Heartbeat heartbeat = any_heartbeat(input_, worker().says, settings_.resume);
    const PeerId peer = workers_.at(input_.below(3)).peer;
    model_.note_heartbeat(peer, heartbeat);
    const JobId job = any_job();
    core_.on_worker_message(peer, {job, Epoch{input_.below(3)}, heartbeat}, now_);
  }

  void say_any_state() {
    const State state = any_state(input_, kNonce, settings_.resume);
    says(Epoch{input_.below(3)}, state);
  }

  void say_any_acks() {
    const Acks acks = any_acks(input_);
    core_.on_collector_message({any_job(), Epoch{1}, acks}, now_);
  }

  void say_any_word() {
    Message message = any_word(input_);
    const Received received{any_job(), Epoch{input_.below(3)}, std::move(message)};
    if (input_.flip()) {
      core_.on_worker_message(worker().peer, received, now_);
    } else {
      model_.note_adopted(received);
      core_.on_collector_message(received, now_);
    }
  }

  void seldom_any() {
    switch (input_.below(8)) {
      case 0:
        return core_.stop_dispatch();
      case 1:
        return end_input();
      case 2:
        return core_.set_more_to_hear(input_.flip());
      default:
        return core_.collector_unreached();
    }
  }

  // ---- what is said and heard

  void says(Epoch epoch, const State& state) {
    const Received received{honest_ ? kJob : any_job(), epoch, state};
    model_.note_adopted(received);
    const bool counts = model_.counts(received, state, now_);
    core_.on_collector_message(received, now_);
    if (counts) model_.note_state(state, now_);
  }

  void look(Phase before) {
    for (auto& outgoing : core_.take_outgoing()) hear(outgoing);
    model_.check_standing(before);
    (void)core_.take_lost_workers();
    (void)core_.next_due();
    (void)core_.drained();
  }

  void hear(ProducerCore::Outgoing& outgoing) {
    const Received received = heard(std::move(outgoing.frames));
    if (received.job.is_none()) return model_.check_answer_without_job(outgoing.worker, received);
    check(received.job == model_.job(), "it speaks of its job");
    if (outgoing.worker.empty()) return hear_at_collector(received);
    model_.check_word_to_worker(received);
    if (const auto* tasks = std::get_if<Tasks>(&received.message)) {
      hear_tasks(outgoing.worker, received, *tasks);
    }
  }

  void hear_at_collector(const Received& received) {
    model_.check_word_to_collector(received, input_ended_);
    const bool is_heard = std::holds_alternative<End>(received.message) ||
                          std::holds_alternative<Begin>(received.message);
    if (is_heard && honest_ && arrives()) collector_.hear(received.message);
  }

  bool arrives() { return calm_ || (lossy_ = lossy_ / 2 + (lossy_ & 1U) * 128U, lossy_ < 128); }

  void hear_tasks(const PeerId& peer, const Received& received, const Tasks& tasks) {
    WorkerPeer* to = nullptr;
    for (WorkerPeer& worker : workers_) to = worker.peer == peer ? &worker : to;
    for (const Task& task : tasks.tasks) model_.check_task(task, model_.who_is(peer), tasks.seq);
    if (to != nullptr && arrives()) to->hear(received, tasks);
  }

  Bytes input_;
  const ProducerCore::Settings settings_;
  const bool honest_;
  ProducerCore core_;
  Instant now_ = Instant(std::chrono::seconds(1000));
  TaskKinds kinds_{};
  std::array<WorkerPeer, 3> workers_;
  CollectorPeer collector_;
  std::set<Index> on_their_way_;  // to the collector, from workers
  std::uint64_t deaths_ = 0;
  unsigned lossy_ = 0;  // bits that say which messages are lost
  bool calm_ = false;
  bool input_ended_ = false;
  ProducerModel model_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scene({data, size}).play();
  return 0;
}

}  // namespace fetchline::fuzz
