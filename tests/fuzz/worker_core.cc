// A WorkerCore among producers and collectors that say anything in any order: see the invariants of
// its header and of proto/PROTOCOL.md, 6. The input: settings, then events.
#include "worker/worker_core.h"

#include <map>
#include <optional>
#include <set>

#include "tests/fuzz/events.h"
#include "tests/fuzz/fields.h"

namespace fetchline::fuzz {
namespace {

constexpr WorkerId kWorker{42};

// What is known of the job that is open on a link.
struct OpenSession {
  JobId job;
  JobSlot slot{};
  std::map<Index, std::uint32_t> held;  // results not acknowledged, by their mark
  // Those that may be held: whether a failure is to be tried again may have been ordered anew while
  // it ran.
  std::set<Index> maybe_held;
  std::set<Index> finished;
  Epoch reporting{};
  std::map<std::uint64_t, Report> reports;  // of that epoch, by number
};

class Scene {
 public:
  explicit Scene(Bytes input)
      : input_(input),
        settings_(settings_of(input_)),
        core_(settings_),
        sessions_(settings_.links) {}

  void play() {
    while (!input_.empty() && !core_.over()) {
      advances_ = false;
      event();
      look();
    }
  }

 private:
  static WorkerCore::Settings settings_of(Bytes& input) {
    WorkerCore::Settings settings;
    settings.id = kWorker;
    settings.name = "worker:1";
    settings.slots = 1U + input.below(4);
    settings.links = 1U + input.below(2);
    settings.keep_alive = input.flip();
    settings.held_bytes = input.flip() ? 200 : std::size_t{1} << 20;
    return settings;
  }

  void event() {
    switch (input_.below(10)) {
      case 0:
      case 1:
        return tasks();
      case 2:
      case 3:
        return finish();
      case 4:
        return acks();
      case 5:
        now_ += time_step(input_);
        return advance();
      case 6:
        return advance();
      case 7:
        return send_results();
      case 8:
        return say_other();
      default:
        return seldom();
    }
  }

  void advance() {
    advances_ = true;
    core_.advance(now_);
  }

  std::size_t link() { return input_.below(static_cast<std::uint8_t>(settings_.links)); }
  JobId job() { return job_number(static_cast<std::uint8_t>(1 + input_.below(2))); }
  Epoch epoch() { return Epoch{input_.below(3)}; }

  void tasks() {
    Tasks message;
    message.seq = input_.below(8);
    message.reports_seen = input_.below(8);
    if (input_.below(4) != 0) message.settings.emplace();
    const std::size_t count = input_.below(4);
    for (std::size_t i = 0; i < count; ++i) {
      Task& task = message.tasks.emplace_back();
      task.index = small_index(input_);
      task.attempt = input_.below(4);
      task.may_retry = input_.flip();
    }
    told_link_ = link();
    told_job_ = job();
    core_.on_producer_message(told_link_, {told_job_, epoch(), std::move(message)}, now_);
  }

  // A transfer ends; or one does that nobody waits for any more.
  void finish() {
    Fetched fetched;
    fetched.result.outcome = static_cast<Outcome>(input_.below(kOutcomeCount));
    fetched.result.attempts = 1;
    fetched.transient = input_.flip();
    fetched.result.url = "http://h/";
    fetched.result.body.assign(input_.below(3) * std::size_t{100}, 'x');
    fetched.result.response_code = static_cast<std::int32_t>(++marks_);
    if (running_.empty() || input_.below(8) == 0) {
      fetched.job = JobSlot{input_.below(4)};
      fetched.result.index = small_index(input_);
      if (running_.contains({fetched.job, fetched.result.index})) return;
    } else {
      auto at = running_.begin();
      std::advance(at, input_.below(static_cast<std::uint8_t>(running_.size())));
      fetched.job = at->first;
      fetched.result.index = at->second;
      running_.erase(at);
      note_finished(fetched);
    }
    core_.on_fetched(std::move(fetched));
  }

  void note_finished(const Fetched& fetched) {
    const Index index = fetched.result.index;
    for (auto& session : sessions_) {
      if (!session || session->slot != fetched.job) continue;
      if (fetched.result.outcome == Outcome::cancelled) return;
      session->finished.insert(index);
      session->maybe_held.erase(index);
      if (fetched.transient) {
        session->maybe_held.insert(index);
      } else {
        session->held.emplace(index, marks_);
      }
    }
  }

  void acks() {
    Acks message;
    message.boot = BootId{1U + input_.below(2)};
    message.seq = input_.below(8);
    message.watermark = small_index(input_);
    message.admit_limit = input_.flip() ? kMaxIndex : small_index(input_);
    message.byte_window = input_.number(2);
    message.accepted = small_set(input_);
    message.refused = small_set(input_);
    const std::size_t from = link();
    const JobId of = job();
    core_.on_collector_message(from, {of, epoch(), message}, now_);
    auto& session = sessions_[from];
    if (!session || session->job != of) return;
    const auto accepted = [&](Index index) { return message.accepted.contains(index); };
    std::erase_if(session->held, [&](const auto& held) { return accepted(held.first); });
    std::erase_if(session->maybe_held, accepted);
  }

  void send_results() {
    const std::size_t to = link();
    while (auto frames = core_.next_results(to, now_)) {
      const Received received = heard(std::move(*frames));
      const auto& session = sessions_[to];
      check(session && received.job == session->job, "results are of the job that is open");
      const auto& message = std::get<Results>(received.message);
      check(message.sender == kWorker && !message.results.empty(), "results have a sender");
      for (const Result& result : message.results) check_result(*session, result);
      if (input_.below(4) != 0) continue;
      core_.results_not_sent(to);
      return;
    }
  }

  static void check_result(const OpenSession& session, const Result& result) {
    if (session.maybe_held.contains(result.index)) return;
    const auto held = session.held.find(result.index);
    check(held != session.held.end(), "only what was fetched and is not acknowledged is sent");
    check(static_cast<std::uint32_t>(result.response_code) == held->second, "the first stands");
  }

  void say_other() {
    const std::size_t at = link();
    const bool to_producer = input_.flip();
    Message message;
    switch (input_.below(6)) {
      case 0:
        message = Done{};
        break;
      case 1:
        message = Bye{};
        break;
      case 2:
        message = State{};
        break;
      case 3:
        message = Heartbeat{};
        break;
      case 4:
        message = Acks{};
        if (to_producer) break;
        return;
      default:
        message = Results{};
    }
    Received received{job(), epoch(), std::move(message)};
    if (to_producer) {
      core_.on_producer_message(at, std::move(received), now_);
    } else {
      core_.on_collector_message(at, std::move(received), now_);
    }
  }

  void seldom() {
    if (input_.below(8) == 0) {
      look();
      core_.drain();
      drained_ = true;
    } else {
      core_.producer_unreached();
    }
  }

  // What the core wants, after each event.
  void look() {
    for (FetchCommand& command : core_.take_commands()) {
      if (const auto* open = std::get_if<OpenJob>(&command)) {
        check(opened_.insert(open->job).second, "a job's slot is new");
        sessions_[told_link_].emplace(OpenSession{told_job_, open->job, {}, {}, {}, {}, {}});
      } else if (const auto* close = std::get_if<CloseJob>(&command)) {
        close_job(close->job);
      } else {
        start(std::get<Fetch>(command));
      }
    }
    for (auto& outgoing : core_.take_outgoing()) hear(outgoing);
    check_numbers();
  }

  void close_job(JobSlot slot) {
    check(opened_.contains(slot) && closed_.insert(slot).second, "what is closed is open");
    std::erase_if(running_, [&](const auto& run) { return run.first == slot; });
    for (auto& session : sessions_) {
      if (session && session->slot == slot) session.reset();
    }
  }

  void start(const Fetch& fetch) {
    check(opened_.contains(fetch.job) && !closed_.contains(fetch.job), "its job is open");
    check(running_.emplace(fetch.job, fetch.task.index).second, "never two runs of one at once");
    check(running_.size() <= settings_.slots, "no more runs than slots");
    check(!drained_, "who drains starts nothing");
    for (const auto& session : sessions_) {
      if (!session || session->slot != fetch.job) continue;
      check(!session->held.contains(fetch.task.index), "what is held is not fetched again");
    }
  }

  void hear(WorkerCore::Outgoing& outgoing) {
    const Received received = heard(std::move(outgoing.frames));
    check(outgoing.link < settings_.links, "there is such a link");
    if (const auto* heartbeat = std::get_if<Heartbeat>(&received.message)) {
      check(outgoing.to == WorkerCore::To::producer, "heartbeats are for producers");
      check_heartbeat(outgoing.link, received, *heartbeat);
    } else {
      const auto* bye = std::get_if<Bye>(&received.message);
      check(bye != nullptr && bye->worker == kWorker, "nothing else is said");
      if (advances_) check_leaving();
    }
  }

  void check_leaving() const {
    check(drained_ && running_.empty(), "who leaves has finished");
    for (const auto& session : sessions_) check(!session || session->held.empty(), "all is safe");
  }

  void check_heartbeat(std::size_t number, const Received& received, const Heartbeat& says) {
    check(says.worker == kWorker && says.seq > heartbeat_seq_, "heartbeats are counted");
    heartbeat_seq_ = says.seq;
    check(says.slots <= settings_.slots && says.draining == (drained_ || says.cut_off),
          "how things are");
    check(!says.received.contains(0) && says.first_report >= 1, "both count from 1");
    auto& session = sessions_[number];
    check(session ? received.job == session->job : received.job.is_none(), "of the job it has");
    if (!session) return check(says.reports.empty() && !says.queued, "it has nothing");
    for (const auto& [slot, index] : running_) {
      const bool queues = says.queued && says.queued->contains(index);
      check(slot != session->slot || !queues, "what runs is not queued");
    }
    check(received.epoch >= session->reporting, "epochs do not go back");
    if (session->reporting != received.epoch) session->reports.clear();
    session->reporting = received.epoch;
    for (std::size_t i = 0; i < says.reports.size(); ++i) {
      check_report(*session, says.first_report + i, says.reports[i]);
    }
  }

  static void check_report(OpenSession& session, std::uint64_t number, const Report& report) {
    const auto [known, is_new] = session.reports.emplace(number, report);
    check(is_new || same(known->second, report), "a report stays what it was");
    const bool delivered = report.verdict == Report::Verdict::delivered;
    check(!delivered || session.finished.contains(report.index), "who delivers has a result");
  }

  void check_numbers() {
    check(core_.running() == running_.size(), "as many run as were started and have not ended");
    for (std::size_t number = 0; number < settings_.links; ++number) {
      const auto& session = sessions_[number];
      const bool holds = session && !session->held.empty();
      const bool may_hold = session && !session->maybe_held.empty();
      if (holds || !may_hold) {
        check(core_.awaits_collector(number) == holds, "a result is held until it is acknowledged");
      }
    }
  }

  Bytes input_;
  const WorkerCore::Settings settings_;
  WorkerCore core_;
  Instant now_ = Instant(std::chrono::seconds(1000));
  std::vector<std::optional<OpenSession>> sessions_;
  std::size_t told_link_ = 0;  // where tasks were said last, and of what job
  JobId told_job_;
  std::set<std::pair<JobSlot, Index>> running_;
  std::set<JobSlot> opened_, closed_;
  std::uint64_t heartbeat_seq_ = 0;
  std::uint32_t marks_ = 0;
  bool drained_ = false;
  bool advances_ = false;  // what is said now is not an answer
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scene({data, size}).play();
  return 0;
}

}  // namespace fetchline::fuzz
