// The producer core's side of handing out: who gets what.
#include <algorithm>
#include <utility>

#include "producer/producer_core.h"

namespace fetchline {
namespace {

constexpr std::size_t kTasksPerMessage = 64;
constexpr std::size_t kTaskBytesPerMessage = 256 * 1024;

}  // namespace

void ProducerCore::dispatch(Instant now) {
  dispatch_suspects(now);
  if (ledger_.has_alone()) probe_suspected_dead(now);
  dispatch_ready(now);
  ask_to_begin(now);
  look_over_leases(now);
}

void ProducerCore::dispatch_ready(Instant now) {
  if (!has_task_to_hand_out()) return;
  // Slots first, everywhere, then what waits behind them: a task that queues at one worker while
  // another has a free slot would be late for nothing.
  dispatch_up_to(&WorkerSession::slots, now);
  dispatch_up_to(&WorkerSession::capacity, now);
  dispatch_head(now);
}

// What needs no worker is delivered as its turn comes; what is behind one that must wait waits too.
bool ProducerCore::has_task_to_hand_out() {
  if (may_deliver_decided()) deliver_decided();
  const auto next = ledger_.next_ready(limit());
  return next && !ledger_.is_decided(*next);
}

// The outbox is as bounded as what is read ahead; the head always has room.
bool ProducerCore::may_deliver_decided() const {
  return outbox_.held_bytes() < kReadAheadBytes || ledger_.next_ready(limit()) == ledger_.base();
}

void ProducerCore::deliver_decided() {
  while (may_deliver_decided()) {
    const auto decided = ledger_.take_decided(limit());
    if (!decided) return;
    const Task& task = decided->task;
    Result result;
    result.index = task.index;
    result.outcome = decided->outcome;
    result.attempts = decided->attempts;
    result.errormsg = decided->why;
    result.id = task.id;
    result.url = task.url;
    result.method = task.method;
    result.meta = task.meta;
    result.output = task.output;
    result.task_hash = task.hash;
    result.fetched_at = wall_clock_;
    result.worker = settings_.name;
    outbox_.add(std::move(result));
  }
}

// Who has a suspect, or is to have one, is not free.
bool ProducerCore::is_free(const WorkerSession& worker) const {
  const WorkerId id = worker.id();
  return !worker.draining() && !ledger_.holds_alone(id) && !emptying_.contains(id);
}

// The least loaded first.
std::vector<WorkerSession*> ProducerCore::free_workers() {
  std::vector<WorkerSession*> free;
  for (auto& [id, worker] : workers_) {
    if (is_free(worker)) free.push_back(&worker);
  }
  std::sort(free.begin(), free.end(), [this](const auto* a, const auto* b) {
    return ledger_.leased_to(a->id()) < ledger_.leased_to(b->id());
  });
  return free;
}

void ProducerCore::dispatch_up_to(std::uint32_t (WorkerSession::*capacity)() const, Instant now) {
  std::size_t ready = ledger_.ready(limit());
  if (ready == 0 || workers_.empty()) return;
  auto workers = free_workers();
  for (std::size_t left = workers.size(); left > 0 && ready > 0; --left) {
    WorkerSession& worker = *workers[workers.size() - left];
    const std::size_t held = ledger_.leased_to(worker.id());
    const std::size_t room = (worker.*capacity)() > held ? (worker.*capacity)() - held : 0;
    const std::size_t share = std::min(room, (ready + left - 1) / left);
    hand_out(worker, share, now);
    ready = ledger_.ready(limit());
  }
}

// The head of the order goes out even when no worker asks for work: they may all be waiting for
// room that only the head can make. For that reason it goes to one in quarantine too, rather than
// nowhere: to one that is being emptied, or where the suspect itself may wait for room.
void ProducerCore::dispatch_head(Instant now) {
  const auto next = ledger_.next_ready(limit());
  if (!next || *next != ledger_.base()) return;
  if (const auto free = free_workers(); !free.empty()) return hand_out(*free.front(), 1, now);
  for (auto& [id, worker] : workers_) {
    if (worker.draining() || (ledger_.holds_alone(id) && worker.slots() > 0)) continue;
    ledger_.no_longer_alone(id);
    return hand_out(worker, 1, now);
  }
}

void ProducerCore::hand_out(WorkerSession& worker, std::size_t count, Instant now) {
  while (count > 0 && has_task_to_hand_out()) {
    Tasks message = next_message_to(worker, now);
    std::size_t bytes = 0;
    while (count > 0 && message.tasks.size() < kTasksPerMessage && bytes < kTaskBytesPerMessage &&
           has_task_to_hand_out()) {
      put(message, ledger_.lease(limit(), {worker.id(), message.seq, now}));
      bytes += message.tasks.back().memory_bytes();
      --count;
    }
    to_worker(worker.peer(), encode(job_, epoch_, message));
  }
}

Tasks ProducerCore::next_message_to(WorkerSession& worker, Instant now) {
  Tasks message;
  message.seq = worker.number_next_message(now);
  worker.take_answer_due();
  message.reports_seen = worker.reports_seen();
  if (!worker.has_settings()) message.settings = settings_.job_settings;
  return message;
}

void ProducerCore::put(Tasks& message, const Task& task) {
  message.tasks.push_back(task);
  message.tasks.back().may_retry = task.attempt <= settings_.retry.retries;
  if (task.index < begun_below_) return;
  ++begun_;
  begun_below_ = task.index + 1;
}

// Without a job there is nothing to say, but that it is not the producer who is missing.
void ProducerCore::answer_logins() {
  for (auto& [id, worker] : workers_) {
    if (worker.take_answer_due()) to_worker(worker.peer(), encode(JobId{}, Epoch{}, Tasks{}));
  }
}

// Work is an answer too; who got none is answered here. A number of its own makes an answer prove
// that an earlier message is lost.
void ProducerCore::answer_heartbeats(Instant now) {
  for (auto& [id, worker] : workers_) {
    if (!worker.take_answer_due()) continue;
    Tasks message = worker.doubts_a_message() ? next_message_to(worker, now) : Tasks();
    message.reports_seen = worker.reports_seen();
    if (!worker.has_settings()) message.settings = settings_.job_settings;
    to_worker(worker.peer(), encode(job_, epoch_, message));
  }
}

}  // namespace fetchline
