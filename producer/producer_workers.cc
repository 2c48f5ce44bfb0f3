// The producer core's dealings with workers: what they say, how they come and how they are lost.
#include <algorithm>
#include <utility>

#include "producer/producer_core.h"

namespace fetchline {

void ProducerCore::on_worker_message(const PeerId& peer, Received received, Instant now) {
  if (const auto* heartbeat = std::get_if<Heartbeat>(&received.message)) {
    on_heartbeat(peer, received, *heartbeat, now);
  } else if (const auto* bye = std::get_if<Bye>(&received.message)) {
    // One of another job is late: a worker that stays said it to the producer before.
    if (received.job == job_ || received.job.is_none()) on_bye(*bye);
  } else {
    ++dropped_;
  }
}

void ProducerCore::on_heartbeat(const PeerId& peer, const Received& received,
                                const Heartbeat& heartbeat, Instant now) {
  if (phase_ == Phase::done) {
    to_worker(peer, encode(job_, epoch_, Done{counts_}));
    if (const auto at = workers_.find(heartbeat.worker); at != workers_.end()) {
      at->second.on_heartbeat(peer, heartbeat, now);
    }
    return;
  }
  if (!is_working()) return;
  // A heartbeat of another job or epoch is a login: what it says of messages is of no session of
  // ours.
  const bool in_session = received.job == job_ && received.epoch == epoch_;
  if (in_session && !is_believable(heartbeat)) {
    ++dropped_;
    return;
  }
  if (!in_session) end_session_before(heartbeat);
  const bool is_new =
      !workers_.contains(heartbeat.worker) && !silent_workers_.contains(heartbeat.worker);
  WorkerSession& worker = session_of(heartbeat.worker, peer, now);
  if (in_session && is_new) worker.adopt_numbers(heartbeat);
  if (in_session) worker.join();
  if (in_session && heartbeat.queued) worker.say_all();
  Heartbeat login;
  if (!in_session) {
    login = heartbeat;
    login.received.clear();
    login.reports.clear();
    login.queued.reset();
  }
  if (in_session) ledger_.adopt(worker.id(), heartbeat.of_older_epoch, now);
  for (const Report& report : worker.on_heartbeat(peer, in_session ? heartbeat : login, now)) {
    on_report(worker, report, now);
  }
  // Not when the collector was away: the worker will find it again as we did.
  if (in_session && heartbeat.cut_off && collector_is_well(now)) {
    ledger_.worker_cut_off(worker.id());
  }
  for (const auto& message : worker.take_lost_messages()) {
    ledger_.message_lost(worker.id(), message.number, message.certain);
  }
  if (in_session && heartbeat.queued) {
    ledger_.not_started(worker.id(), worker.queued(), now);
    worker.compare_with_leases(ledger_.leased_to(worker.id()));
  }
}

// Of a session that is not known any more anything may be true of its messages. No worker holds
// tasks that were never read, unless of a producer before this one, or more than kMostQueued.
bool ProducerCore::is_believable(const Heartbeat& heartbeat) const {
  for (const auto* sessions : {&workers_, &silent_workers_}) {
    const auto at = sessions->find(heartbeat.worker);
    if (at != sessions->end() && !at->second.could_say(heartbeat)) return false;
  }
  const auto was_read = [this](Index index) {
    return settings_.resume || index < ledger_.next_index();
  };
  if (heartbeat.queued && !heartbeat.queued->empty()) {
    const IndexSet& queued = *heartbeat.queued;
    if (queued.size() > kMostQueued || !was_read(queued.ranges().back().last)) return false;
  }
  return std::all_of(heartbeat.reports.begin(), heartbeat.reports.end(),
                     [&](const Report& report) { return was_read(report.index); });
}

// A worker that had a session and logs in anew has lost it, and with it what it held. It lives:
// nothing is to blame.
void ProducerCore::end_session_before(const Heartbeat& login) {
  for (auto* sessions : {&workers_, &silent_workers_}) {
    const auto at = sessions->find(login.worker);
    if (at == sessions->end() || !at->second.was_established_before(login)) continue;
    ledger_.worker_lost(login.worker);
    ledger_.worker_came_back(login.worker);
    sessions->erase(at);
  }
}

WorkerSession& ProducerCore::session_of(WorkerId worker, const PeerId& peer, Instant now) {
  if (auto known = silent_workers_.extract(worker)) {
    ledger_.worker_came_back(worker);
    workers_.insert(std::move(known));
  }
  return workers_.try_emplace(worker, worker, peer, now).first->second;
}

void ProducerCore::on_report(const WorkerSession& worker, const Report& report, Instant now) {
  if (ledger_.has_doubts()) adopt_reported(worker, report.index, now);
  switch (report.verdict) {
    case Report::Verdict::delivered:
      if (const Lease* lease = ledger_.lease_of(worker.id(), report.index)) {
        pace_.add(now - lease->since);
        ledger_.delivered(worker.id(), report.index, report.outcome);
      }
      break;
    case Report::Verdict::returned:
      ledger_.returned(worker.id(), report.index);
      break;
    case Report::Verdict::retry: {
      // A late word about an earlier attempt says nothing of the one that runs now. What was
      // adopted was counted by another producer.
      const Task* task = ledger_.leased_task(worker.id(), report.index);
      if (task == nullptr) break;
      const bool is_adopted = ledger_.lease_of(worker.id(), report.index)->message == 0;
      if (task->attempt != report.attempt && !is_adopted) break;
      ledger_.retry_at(
          worker.id(), report.index,
          now + retry_wait(settings_.retry, report.attempt, report.retry_after, random_));
      break;
    }
  }
}

void ProducerCore::on_bye(const Bye& bye) {
  const auto at = workers_.find(bye.worker);
  if (at == workers_.end()) return;
  ledger_.worker_left(bye.worker);
  workers_.erase(at);
}

void ProducerCore::lose_silent_workers(Instant now) {
  for (auto at = workers_.begin(); at != workers_.end();) {
    if (!at->second.silent(now, ledger_.holds_alone(at->first))) {
      ++at;
      continue;
    }
    lost_workers_.push_back(at->second.name());
    ++workers_lost_;
    ledger_.worker_died(at->first, at->second.name(), at->second.queued(),
                        at->second.runs_only_leased());
    at->second.forget_messages();
    if (silent_workers_.size() >= kSilentWorkers) silent_workers_.erase(silent_workers_.begin());
    silent_workers_.insert(workers_.extract(at++));
  }
}

void ProducerCore::worker_unreachable(const PeerId& peer, Instant now) {
  const auto is_it = [&](const auto& entry) { return entry.second.peer() == peer; };
  if (phase_ == Phase::done) std::erase_if(workers_, is_it);
  // Before that it may come back.
  const auto at = std::find_if(workers_.begin(), workers_.end(), is_it);
  if (at != workers_.end()) at->second.note_unreachable(now);
}

std::vector<std::string> ProducerCore::take_lost_workers() {
  return std::exchange(lost_workers_, {});
}

}  // namespace fetchline
