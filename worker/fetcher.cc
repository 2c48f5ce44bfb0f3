#include "worker/fetcher.h"

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "worker/block_sigpipe.h"
#include "worker/driver.h"
#include "worker/request.h"
#include "worker/transfer.h"

namespace fetchline {
namespace {

using Clock = std::chrono::steady_clock;

// libcurl says when it wants to be called and the mailbox wakes us: this is for surprises only.
constexpr std::chrono::milliseconds kMaxWait{1000};
constexpr std::chrono::milliseconds kMaxPause{5};  // before paused transfers ask again

struct OpenedJob;

// One task under way: several transfers when it has a race or a failover, mostly one.
struct Attempt {
  Attempt(OpenedJob& its_job, Task its_task);

  OpenedJob& job;
  Task task;  // request, stages and libcurl point into it
  Request request;
  std::vector<Stage> stages;
  std::size_t next_stage = 0;
  std::vector<std::unique_ptr<Transfer>> running;
  std::chrono::microseconds stages_took{0};  // that have ended
  std::chrono::microseconds stage_took{0};   // the one under way: its slowest transfer
  bool request_sent = false;                 // by any transfer of it
  std::list<Attempt>::iterator self;
};

struct OpenedJob {
  OpenedJob(JobSlot its_slot, JobSettings its_settings)
      : slot(its_slot),
        settings(std::move(its_settings)),
        headers(headers_of(settings)),
        flaw(flaw_of(settings)) {}

  JobSlot slot;
  JobSettings settings;
  HeaderList headers;
  std::string flaw;  // why none of its tasks can be fetched; empty: they can
  std::vector<std::unique_ptr<Transfer>> idle;
  std::list<Attempt> attempts;
};

Attempt::Attempt(OpenedJob& its_job, Task its_task)
    : job(its_job),
      task(std::move(its_task)),
      request(request_for(job.settings, task)),
      stages(stages_of(task)) {}

// What a stage gets of the attempt's time: an equal part of what is left, so that a first address
// that hangs leaves some for the others. 0: no limit. To wait for a name takes none of it.
std::chrono::milliseconds time_for_stage(const Attempt& attempt, std::size_t stage) {
  const std::chrono::milliseconds whole = attempt.request.max_time;
  if (whole.count() <= 0 || attempt.stages.size() == 1) return whole;
  const auto passed = std::chrono::floor<std::chrono::milliseconds>(attempt.stages_took);
  const auto stages_left = static_cast<std::int64_t>(attempt.stages.size() - stage);
  return std::max((whole - passed) / stages_left, std::chrono::milliseconds{1});
}

// The part of a record that does not depend on what happened. Empties the task.
Fetched fetched_for(Attempt& attempt, Outcome outcome) {
  Task& task = attempt.task;
  Fetched fetched;
  fetched.job = attempt.job.slot;
  Result& result = fetched.result;
  result.index = task.index;
  result.attempts = task.attempt;
  result.outcome = outcome;
  result.method = attempt.request.method;
  result.url = std::move(task.url);
  result.id = std::move(task.id);
  result.meta = std::move(task.meta);
  result.task_hash = task.hash;
  result.output = std::move(task.output);
  return fetched;
}

}  // namespace

class Fetcher::Loop {
 public:
  Loop(FetcherOptions options, BodyBudget& budget, Mailbox<Fetched>& fetched)
      : options_(std::move(options)),
        names_(options_.max_lookups),
        bounds_{budget, options_.allow_net, sockets_, names_, options_.receive_bytes},
        fetched_(fetched),
        driver_(options_.max_connections, sockets_, names_, commands_.fd()) {}
  ~Loop() { close_all(); }

  Mailbox<FetchCommand>& commands() { return commands_; }

  void run() {
    block_sigpipe();  // CURLOPT_NOSIGNAL leaves it to us; resolver threads inherit the mask
    while (!stopping_) {
      const bool pauses = bounds_.budget.somebody_waits();
      const bool has_commands = driver_.turn(pauses ? kMaxPause : kMaxWait);  // wait, receive
      now_ = std::chrono::system_clock::now();
      finish_done();
      if (has_commands) obey();
      if (pauses) resume_paused();
      fetched_.push_all(outgoing_);  // report
    }
    close_all();
  }

 private:
  void obey() {
    for (FetchCommand& command : commands_.take()) {
      std::visit([this](auto& what) { on(what); }, command);
    }
  }

  void on(OpenJob& command) {
    jobs_.try_emplace(command.job, command.job, std::move(command.settings));
  }

  void on(CloseJob& command) {
    const auto found = jobs_.find(command.job);
    if (found == jobs_.end()) return;
    end_transfers(found->second);
    jobs_.erase(found);
  }

  void on(Fetch& command) {
    const auto found = jobs_.find(command.job);
    if (found == jobs_.end()) return;  // closed: nobody waits for it
    OpenedJob& job = found->second;
    const auto self = job.attempts.emplace(job.attempts.end(), job, std::move(command.task));
    self->self = self;
    const std::string flaw = job.flaw.empty() ? flaw_of(self->task) : job.flaw;
    if (flaw.empty()) {
      start_next_stage(*self);
    } else {
      refuse(*self, Outcome::invalid_task, CURLE_BAD_FUNCTION_ARGUMENT, flaw);
    }
  }

  void on(CancelTransfers&) {
    for (auto& [slot, job] : jobs_) {
      while (!job.attempts.empty()) cancel(job.attempts.front());
    }
  }

  // What was cancelled is given back and requested again, unless it must not be.
  void cancel(Attempt& attempt) {
    constexpr TransferEnd kCancelled{.stopped = StopReason::cancelled};
    for (const auto& transfer : attempt.running) {
      attempt.request_sent |= transfer->end_of(CURLE_OK).request_sent;
    }
    if (may_repeat(attempt.request.method, attempt.request_sent,
                   attempt.job.settings.retry_unsafe)) {
      return refuse(attempt, Outcome::cancelled, exit_code_of(kCancelled),
                    std::string(message_of(kCancelled.stopped)));
    }
    refuse(attempt, Outcome::abandoned, exit_code_of(kCancelled),
           "may have been sent; --retry-unsafe repeats it");
  }

  void on(StopFetching&) { stopping_ = true; }

  void start_next_stage(Attempt& attempt) {
    const std::size_t stage = attempt.next_stage++;
    attempt.stages_took += std::exchange(attempt.stage_took, {});
    const auto max_time = time_for_stage(attempt, stage);
    for (const std::string* url : attempt.stages[stage]) {
      Transfer& transfer = *attempt.running.emplace_back(idle_transfer(attempt.job));
      transfer.set_owner(&attempt);
      const CURLcode ready = transfer.prepare(attempt.request, *url, max_time);
      driver_.add(transfer, *url, ready);
    }
  }

  std::unique_ptr<Transfer> idle_transfer(OpenedJob& job) {
    if (job.idle.empty()) return std::make_unique<Transfer>(job.settings, job.headers, bounds_);
    std::unique_ptr<Transfer> transfer = std::move(job.idle.back());
    job.idle.pop_back();
    return transfer;
  }

  void resume_paused() {  // the oldest first
    const auto long_ago = Clock::now() - options_.room_patience;
    for (auto& [slot, job] : jobs_) {
      for (auto at = job.attempts.begin(); at != job.attempts.end();) {
        Attempt& attempt = *at++;
        if (!has_paused(attempt)) continue;
        const bool is_head = bounds_.budget.is_head(slot, attempt.task.index);
        for (const auto& transfer : attempt.running) driver_.resume(*transfer, is_head);
        if (bounds_.budget.is_full() && waits_since(attempt, long_ago)) give_back(attempt);
      }
    }
  }

  static bool has_paused(const Attempt& attempt) {
    return std::ranges::any_of(attempt.running, [](const auto& t) { return t->is_paused(); });
  }

  static bool waits_since(const Attempt& attempt, Clock::time_point then) {
    return std::ranges::all_of(attempt.running, [then](const auto& transfer) {
      return transfer->is_paused() && transfer->first_paused() <= then;
    });
  }

  // Unless it must not be requested again.
  void give_back(Attempt& attempt) {
    if (may_repeat(attempt.request.method, true, attempt.job.settings.retry_unsafe)) {
      cancel(attempt);
    }
  }

  void finish_done() {
    while (const auto done = driver_.next_done()) {
      Transfer& transfer = done->transfer;
      decide(*static_cast<Attempt*>(transfer.owner()), transfer, transfer.end_of(done->code));
    }
  }

  // The first ok answer wins; without one the last answer is the task's.
  void decide(Attempt& attempt, Transfer& transfer, const TransferEnd& end) {
    const JobSettings& settings = attempt.job.settings;
    const Outcome outcome = outcome_of(end, settings.accept);
    attempt.request_sent |= end.request_sent;
    if (attempt.next_stage < attempt.stages.size()) {
      attempt.stage_took = std::max(attempt.stage_took, transfer.took());
    }
    const bool is_last = attempt.running.size() == 1;
    if (outcome != Outcome::ok && !is_last) return put_back(attempt, transfer);
    if (outcome != Outcome::ok && attempt.next_stage < attempt.stages.size() &&
        may_repeat(attempt.request.method, attempt.request_sent, settings.retry_unsafe)) {
      put_back(attempt, transfer);
      return start_next_stage(attempt);
    }
    Fetched fetched = fetched_for(attempt, outcome);
    transfer.describe(end, fetched.result);
    fetched.repeatable =
        may_repeat(attempt.request.method, attempt.request_sent, settings.retry_unsafe);
    fetched.transient = fetched.repeatable && is_transient(outcome, end.response_code);
    if (outcome == Outcome::http_error) fetched.retry_after = transfer.retry_after(now_);
    finish(attempt, std::move(fetched));
  }

  // Ends an attempt that no answer ends.
  void refuse(Attempt& attempt, Outcome outcome, CURLcode code, std::string why) {
    Fetched fetched = fetched_for(attempt, outcome);
    fetched.result.exitcode = code;
    fetched.result.errormsg = std::move(why);
    finish(attempt, std::move(fetched));
  }

  void finish(Attempt& attempt, Fetched fetched) {
    fetched.result.fetched_at =
        std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch());
    fetched.result.worker = options_.worker_name;
    bounds_.budget.pass_on(fetched.result.memory_bytes());
    outgoing_.push_back(std::move(fetched));
    while (!attempt.running.empty()) put_back(attempt, *attempt.running.back());
    attempt.job.attempts.erase(attempt.self);
  }

  void put_back(Attempt& attempt, Transfer& transfer) {
    driver_.remove(transfer);  // a loser's still runs
    transfer.release();
    const auto found =
        std::find_if(attempt.running.begin(), attempt.running.end(),
                     [&transfer](const auto& running) { return running.get() == &transfer; });
    attempt.job.idle.push_back(std::move(*found));
    attempt.running.erase(found);
  }

  void end_transfers(OpenedJob& job) {
    for (Attempt& attempt : job.attempts) {
      for (const auto& transfer : attempt.running) driver_.remove(*transfer);
    }
  }

  void close_all() {
    for (auto& [slot, job] : jobs_) end_transfers(job);
    jobs_.clear();
  }

  const FetcherOptions options_;
  WatchedSockets sockets_;
  NameGate names_;
  const TransferBounds bounds_;
  Mailbox<Fetched>& fetched_;
  Mailbox<FetchCommand> commands_;
  Driver driver_;
  std::unordered_map<JobSlot, OpenedJob> jobs_;  // after driver_: their handles leave it first
  std::vector<Fetched> outgoing_;                // since the last report
  std::chrono::system_clock::time_point now_;
  bool stopping_ = false;
};

Fetcher::Fetcher(FetcherOptions options, BodyBudget& budget, Mailbox<Fetched>& fetched)
    : loop_(std::make_unique<Loop>(std::move(options), budget, fetched)) {}

Fetcher::~Fetcher() = default;

Mailbox<FetchCommand>& Fetcher::commands() { return loop_->commands(); }

void Fetcher::run() { loop_->run(); }

}  // namespace fetchline
