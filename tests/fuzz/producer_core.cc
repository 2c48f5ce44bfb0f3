// A ProducerCore among workers and a collector. Some runs are honest: peers do what the protocol
// says, messages get lost, workers fall silent and come back; when the events are used up all goes
// well, and then the job must end. In the others everybody says anything. See proto/PROTOCOL.md, 6.
// The input: settings, the tasks, then events.
#include "producer/producer_core.h"

#include <array>
#include <map>
#include <optional>
#include <set>

#include "tests/fuzz/events.h"
#include "tests/fuzz/fields.h"

namespace fetchline::fuzz {
namespace {

using Phase = ProducerCore::Phase;

constexpr std::uint64_t kNonce = 77;
const JobId kJob = job_number(1);

enum class Kind : std::uint8_t { get, post, faulty };

struct Worker {
  PeerId peer;
  Heartbeat says;  // but for its reports: those from first_report on
  JobId job;
  Epoch epoch{};
  std::map<Index, Task> holds;
};

struct Collector {
  BootId boot{1};
  std::uint64_t seq = 0;
  Epoch epoch{1};
  IndexSet committed;
  Index limit = kMaxIndex;
  Index begun_below = 0, begun_before = 0;
  std::optional<Index> total;
  bool done = false;

  [[nodiscard]] Index watermark() const {
    const auto& ranges = committed.ranges();
    return ranges.empty() || ranges.front().first > 0 ? 0 : ranges.front().last + 1;
  }
};

class Scene {
 public:
  explicit Scene(Bytes input)
      : input_(input), settings_(settings_of(input_)), honest_(input_.flip()), core_(settings_) {
    if (settings_.resume) collector_.begun_below = collector_.begun_before = kIndices / 2;
    for (Kind& kind : kinds_) kind = kKinds[input_.below(std::size(kKinds))];
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
  static constexpr Kind kKinds[] = {Kind::get, Kind::get, Kind::get, Kind::post, Kind::faulty};

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
    if (kinds_.at(index) == Kind::post) task.method = "POST";
    if (kinds_.at(index) == Kind::faulty) return core_.add(std::move(task), "line 1: bad");
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
      check(message.sender == WorkerId{kNonce} && received.job == job_, "who made them");
      for (const Result& result : message.results) check_decided(result);
      const auto fate = input_.below(4);
      if (fate == 0) return core_.results_not_sent();
      const bool arrives = fate != 1 && honest_;
      for (const Result& result : message.results) {
        if (arrives) arrives_at_collector(result.index);
      }
    }
  }

  void check_decided(const Result& result) {
    check(result.index < core_.next_index(), "a result is of a task");
    const bool faulty = kinds_.at(result.index) == Kind::faulty;
    check(result.outcome == (faulty ? Outcome::invalid_task : Outcome::abandoned),
          "only what cannot be handed out ends here");
    decided_.insert(result.index);
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

  Worker& worker() { return workers_.at(input_.below(static_cast<std::uint8_t>(workers_.size()))); }

  void beat(Worker& worker) {
    ++worker.says.seq;
    if (input_.flip()) {
      worker.says.queued.emplace();
    } else {
      worker.says.queued.reset();
    }
    if (input_.below(8) == 0) return;  // lost
    note_heartbeat(worker.peer, worker.says);
    core_.on_worker_message(worker.peer, {worker.job, worker.epoch, worker.says}, now_);
  }

  // Of a task that it holds; then it says so.
  void report(Worker& worker) {
    if (!worker.holds.empty()) {
      auto at = worker.holds.begin();
      std::advance(at, input_.below(static_cast<std::uint8_t>(worker.holds.size())));
      const auto verdict = static_cast<Report::Verdict>(input_.below(3));
      end_task(worker, at->first, verdict);
    }
    beat(worker);
  }
  void end_task(Worker& worker, Index index, Report::Verdict verdict) {
    const Task& task = worker.holds.at(index);
    if (verdict == Report::Verdict::retry && !task.may_retry) verdict = Report::Verdict::delivered;
    worker.says.reports.push_back({index, task.attempt, verdict, Outcome::ok, {}});
    worker.holds.erase(index);
    if (verdict == Report::Verdict::delivered) on_their_way_.insert(index);
  }

  void arrives_at_collector(Index index) {
    if (!collector_.total || index < *collector_.total) collector_.committed.insert(index);
  }
  void commit() {  // one of the results that workers sent
    if (on_their_way_.empty()) return;
    auto at = on_their_way_.begin();
    std::advance(at, input_.below(static_cast<std::uint8_t>(on_their_way_.size())));
    arrives_at_collector(*at);
    on_their_way_.erase(at);
  }

  void say_state(bool whole) {
    State state;
    state.boot = collector_.boot;
    state.nonce = kNonce;
    state.seq = ++collector_.seq;
    state.log = 1;
    state.watermark = collector_.watermark();
    state.dispatch_limit = std::max(collector_.limit, state.watermark + 1);
    state.total = collector_.total;
    state.begun_below = collector_.begun_below;
    state.begun_before = collector_.begun_before;
    state.whole = whole;
    if (whole) state.committed = collector_.committed;
    says(collector_.epoch, state);
  }
  void say_acks() {
    Acks acks;
    acks.boot = collector_.boot;
    acks.seq = ++collector_.seq;
    acks.watermark = collector_.watermark();
    acks.admit_limit = kMaxIndex;
    acks.byte_window = 1U << 20U;
    acks.accepted = collector_.committed;
    core_.on_collector_message({kJob, collector_.epoch, acks}, now_);
  }

  void seldom() {
    switch (input_.below(6)) {
      case 0: {  // a worker dies, and another begins in its place
        Worker& dead = worker();
        dead.says.worker = WorkerId{100 + ++deaths_};
        forget(dead);
        dead.says.seq = 0;
        dead.peer += '\'';
        return;
      }
      case 1:  // loses its session
        return forget(worker());
      case 2:  // connects anew
        worker().peer += '\'';
        return;
      case 3:
        collector_.limit = input_.flip() ? kMaxIndex : small_index(input_);
        return;
      case 4:  // a collector starts anew, with its log
        collector_.boot = BootId{static_cast<std::uint64_t>(collector_.boot) + 1};
        collector_.seq = 0;
        return say_state(true);
      default:
        return core_.collector_unreached();
    }
  }
  static void forget(Worker& worker) {
    worker.job = {};
    worker.epoch = {};
    begin_session(worker);
  }
  static void begin_session(Worker& worker) {
    worker.holds.clear();
    worker.says.received.clear();
    worker.says.reports.clear();
    worker.says.first_report = 1;
  }

  // A worker as PROTOCOL.md has it.
  void hear_at(Worker& worker, const Received& received, const Tasks& tasks) {
    if (worker.job != received.job || worker.epoch < received.epoch) {
      if (worker.job != received.job && !tasks.settings) return;
      worker.job = received.job;
      worker.epoch = received.epoch;
      begin_session(worker);
    }
    while (!worker.says.reports.empty() && worker.says.first_report <= tasks.reports_seen) {
      worker.says.reports.erase(worker.says.reports.begin());
      ++worker.says.first_report;
    }
    auto& had = worker.says.received;
    if (tasks.seq == 0 || (!had.empty() && tasks.seq <= had.ranges().back().last)) return;
    had.insert(tasks.seq);
    for (const Task& task : tasks.tasks) worker.holds[task.index] = task;
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
    for (Worker& worker : workers_) {
      while (!worker.holds.empty()) {
        end_task(worker, worker.holds.begin()->first, Report::Verdict::delivered);
      }
      ++worker.says.seq;
      worker.says.queued.emplace();
      note_heartbeat(worker.peer, worker.says);
      core_.on_worker_message(worker.peer, {worker.job, worker.epoch, worker.says}, now_);
    }
    for (const Index index : std::exchange(on_their_way_, {})) arrives_at_collector(index);
    say_state(true);
    advance();
    bool heard_results = false;
    while (auto frames = core_.next_results(now_)) {
      const Received received = heard(std::move(*frames));
      for (const Result& result : std::get<Results>(received.message).results) {
        check_decided(result);
        arrives_at_collector(result.index);
      }
      heard_results = true;
    }
    if (heard_results) say_acks();
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
        return any_heartbeat();
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
        return any_state();
      case 9:
        return any_acks();
      case 10:
        return any_word();
      default:
        return seldom_any();
    }
  }

  JobId any_job() { return input_.below(6) == 0 ? job_number(input_.below(3)) : job_; }

  void any_heartbeat() {
    Heartbeat heartbeat = worker().says;
    heartbeat.seq = input_.below(8);
    heartbeat.slots = input_.below(4);
    heartbeat.backlog = input_.below(4);
    heartbeat.draining = input_.below(4) == 0;
    heartbeat.cut_off = input_.below(4) == 0;
    heartbeat.received = small_set(input_);
    heartbeat.first_report = input_.below(6);
    heartbeat.reports.clear();
    for (std::size_t i = input_.below(4); i > 0; --i) {
      Report report{small_index(input_),
                    input_.below(4),
                    static_cast<Report::Verdict>(input_.below(3)),
                    Outcome::timeout,
                    {}};
      if (input_.flip()) report.retry_after = std::chrono::milliseconds(input_.number(2));
      heartbeat.reports.push_back(report);
    }
    if (input_.flip()) heartbeat.queued = small_set(input_);
    if (settings_.resume) heartbeat.of_older_epoch = small_set(input_);
    const PeerId peer = workers_.at(input_.below(3)).peer;
    note_heartbeat(peer, heartbeat);
    const JobId job = any_job();
    core_.on_worker_message(peer, {job, Epoch{input_.below(3)}, heartbeat}, now_);
  }

  void any_state() {
    State state;
    state.boot = BootId{1U + input_.below(2)};
    state.nonce = input_.below(8) == 0 ? 1 : kNonce;
    state.seq = input_.below(16);
    state.log = input_.below(2);
    state.watermark = input_.flip() ? 0 : small_index(input_);
    state.dispatch_limit = input_.flip() ? kMaxIndex : small_index(input_);
    if (input_.below(4) == 0) state.total = small_index(input_);
    if (input_.flip()) state.committed = small_set(input_);
    state.whole = input_.flip();
    if (input_.below(4) == 0) state.compare_to = small_index(input_);
    state.compared = input_.below(4) == 0 ? small_index(input_) : state.compare_to;
    state.begun_below = input_.flip() ? kMaxIndex : small_index(input_);
    if (settings_.resume) state.begun_before = std::min(state.begun_below, small_index(input_));
    says(Epoch{input_.below(3)}, state);
  }

  void any_acks() {
    Acks acks;
    acks.boot = BootId{1U + input_.below(2)};
    acks.seq = input_.below(8);
    acks.watermark = small_index(input_);
    acks.admit_limit = small_index(input_);
    acks.byte_window = input_.number(2);
    acks.accepted = small_set(input_);
    acks.refused = small_set(input_);
    core_.on_collector_message({any_job(), Epoch{1}, acks}, now_);
  }

  void any_word() {
    Message message;
    switch (input_.below(6)) {
      case 0:
        message = Done{};
        break;
      case 1:
        message = Refused{static_cast<Refused::Reason>(input_.below(4)), small_index(input_)};
        break;
      case 2:
        message = Bye{WorkerId{input_.below(4)}};
        break;
      case 3:
        message = Tasks{};
        break;
      case 4:
        message = Recap{};
        break;
      default:
        message = State{};
    }
    const Received received{any_job(), Epoch{input_.below(3)}, std::move(message)};
    if (input_.flip()) {
      core_.on_worker_message(worker().peer, received, now_);
    } else {
      note_adopted(received);
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

  // ---- what must hold

  [[nodiscard]] bool is_working() const {
    return core_.phase() == Phase::opening || core_.phase() == Phase::comparing ||
           core_.phase() == Phase::running;
  }

  void note_adopted(const Received& received) {
    const auto* state = std::get_if<State>(&received.message);
    const auto* refused = std::get_if<Refused>(&received.message);
    const bool answers = (state != nullptr && state->nonce == kNonce) ||
                         (refused != nullptr && (refused->reason == Refused::Reason::other_input ||
                                                 refused->reason == Refused::Reason::outdated)) ||
                         std::holds_alternative<Done>(received.message);
    const bool adopts = settings_.resume && core_.phase() == Phase::opening;
    if (adopts && answers && !received.job.is_none()) job_ = received.job;
  }

  // Said by a collector before another one was heard, or before a finished output was.
  [[nodiscard]] bool is_late(const State& state) const {
    const auto lately = [this](Instant then) { return now_ - then < ProducerCore::kLateState; };
    if (state.log != 0 && finished_heard_ && lately(*finished_heard_)) return true;
    const auto at = boots_before_.find(state.boot);
    return at != boots_before_.end() && lately(at->second);
  }

  void says(Epoch epoch, const State& state) {
    const Received received{honest_ ? kJob : any_job(), epoch, state};
    note_adopted(received);
    const bool is_known = state_boot_ == BootId{} || state.boot == state_boot_ ||
                          (state.log != 0 && state.log == state_log_) || state.whole;
    const bool late = is_late(state);
    const bool counts = is_working() && received.job == job_ && state.nonce == kNonce && is_known &&
                        !(late && (state.log == 0 || state.log != state_log_));
    core_.on_collector_message(received, now_);
    if (!counts || core_.phase() == Phase::forgotten) return;
    for (const IndexRange& range : state.committed.ranges()) committed_.insert(range);
    if (state.watermark > 0) committed_.insert(IndexRange{0, state.watermark - 1});
    if (late || (state.boot == state_boot_ && state.seq < state_seq_)) return;
    if (state.boot != state_boot_ && state_boot_ != BootId{}) boots_before_[state_boot_] = now_;
    if (state.log == 0 && state.total == state.watermark) finished_heard_ = now_;
    boots_before_.erase(state.boot);
    state_boot_ = state.boot;
    state_seq_ = state.seq;
    state_log_ = state.log;
    limit_ = std::min(state.dispatch_limit, state.watermark + settings_.window);
    begun_below_ = state.begun_below;
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

  void look(Phase before) {
    for (auto& outgoing : core_.take_outgoing()) hear(outgoing);
    const bool ended = before == Phase::done || before == Phase::fenced ||
                       before == Phase::forgotten || before == Phase::other_input;
    check(!ended || core_.phase() == before, "an end is one");
    check(core_.in_flight() <= 2 * core_.next_index(), "a task is with two workers at most");
    check(core_.worker_count() > 0 || core_.in_flight() == 0, "nobody holds nothing");
    (void)core_.take_lost_workers();
    (void)core_.next_due();
    (void)core_.drained();
  }

  void hear(ProducerCore::Outgoing& outgoing) {
    const Received received = heard(std::move(outgoing.frames));
    if (received.job.is_none()) return hear_answer_without_job(outgoing, received);
    check(received.job == job_, "it speaks of its job");
    if (outgoing.worker.empty()) return hear_at_collector(received);
    if (const auto* tasks = std::get_if<Tasks>(&received.message)) {
      hear_tasks(outgoing.worker, received, *tasks);
    } else {
      check(std::holds_alternative<Done>(received.message) && core_.phase() == Phase::done,
            "done is done");
    }
  }

  void hear_answer_without_job(const ProducerCore::Outgoing& outgoing, const Received& received) {
    const auto* tasks = std::get_if<Tasks>(&received.message);
    check(tasks != nullptr && tasks->tasks.empty() && received.epoch == Epoch{}, "it says nothing");
    check(!outgoing.worker.empty(), "to those who say hello");
  }

  void hear_at_collector(const Received& received) {
    if (const auto* open = std::get_if<Open>(&received.message)) {
      check(open->nonce == kNonce && open->resume == settings_.resume, "who asks");
    } else if (const auto* end = std::get_if<End>(&received.message)) {
      check(input_ended_ && end->total == core_.next_index(), "the input ended there");
      if (honest_ && arrives()) collector_.total = end->total;
    } else if (const auto* begin = std::get_if<Begin>(&received.message)) {
      check(core_.phase() == Phase::running && begin->below <= core_.next_index(), "of tasks");
      if (honest_ && arrives()) {
        collector_.begun_below = std::max(collector_.begun_below, begin->below);
      }
    } else if (const auto* recap = std::get_if<Recap>(&received.message)) {
      for (std::size_t i = 0; i < recap->hashes.size(); ++i) {
        const std::uint64_t hash = recap->hashes[i];
        check(hash == 0 || hash == 100 + 2 * (recap->first + i), "whose hash it is");
      }
    } else {
      check(std::holds_alternative<Bye>(received.message), "nothing else is said");
    }
  }

  bool arrives() { return calm_ || (lossy_ = lossy_ / 2 + (lossy_ & 1U) * 128U, lossy_ < 128); }

  void hear_tasks(const PeerId& peer, const Received& received, const Tasks& tasks) {
    check(tasks.tasks.empty() || tasks.seq > 0, "messages with tasks are counted");
    Worker* to = nullptr;
    for (Worker& worker : workers_) to = worker.peer == peer ? &worker : to;
    for (const Task& task : tasks.tasks) check_task(task, senders_.at(peer), tasks.seq);
    if (to != nullptr && arrives()) hear_at(*to, received, tasks);
  }

  void check_task(const Task& task, WorkerId worker, std::uint64_t seq) {
    const Index index = task.index;
    check(core_.phase() == Phase::running, "work is handed out while the job runs");
    check(task.url == "http://h/" + std::to_string(index), "it is the task of the input");
    check(index < core_.next_index() && index < limit_, "below the limit");
    check(!committed_.contains(index), "what is committed is not handed out");
    check(kinds_.at(index) != Kind::faulty && !decided_.contains(index), "nor what is decided");
    const bool few = task.attempt <= settings_.retry.retries + 1;
    check(task.attempt >= 1 && (few || !honest_), "no more attempts than are allowed");
    if (kinds_.at(index) != Kind::post || settings_.job_settings.retry_unsafe) return;
    check(index < begun_below_, "it is on record that it may be requested");
    check(given_.emplace(index, std::pair(worker, seq)).second, "never requested twice");
  }

  Bytes input_;
  const ProducerCore::Settings settings_;
  const bool honest_;
  ProducerCore core_;
  Instant now_ = Instant(std::chrono::seconds(1000));
  std::array<Kind, kIndices> kinds_{};
  std::array<Worker, 3> workers_;
  Collector collector_;
  std::set<Index> on_their_way_;  // to the collector, from workers
  std::uint64_t deaths_ = 0;
  unsigned lossy_ = 0;  // bits that say which messages are lost
  bool calm_ = false;
  bool input_ended_ = false;

  JobId job_ = kJob;  // that the core speaks of
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scene({data, size}).play();
  return 0;
}

}  // namespace fetchline::fuzz
