#include "worker/job_session.h"

#include <utility>

namespace fetchline {

void JobSession::begin_epoch(Epoch epoch) {
  epoch_ = epoch;
  received_.clear();
  forget_ended();
  older_ = unrepeatable_;
  std::erase_if(queue_, [this](const auto& entry) { return !older_.contains(entry.first); });
  reports_ = ReportQueue();
  for (auto& [index, running] : running_) running.of_older_epoch = true;
}

void JobSession::on_tasks(Epoch epoch, Tasks message, bool returning) {
  if (epoch < epoch_) return;  // a producer that was replaced and does not know it yet
  if (epoch > epoch_) begin_epoch(epoch);
  reports_.seen(message.reports_seen);
  // One that a later one has overtaken counts as lost: its tasks may be another worker's by now.
  const bool overtaken = !received_.empty() && message.seq <= received_.ranges().back().last;
  if (message.seq == 0 || overtaken) return;
  received_.insert(message.seq);
  for (Task& task : message.tasks) take_task(std::move(task), returning);
}

void JobSession::take_task(Task task, bool returning) {
  const Index index = task.index;
  older_.erase(index);
  if (must_not_repeat(settings_, task)) unrepeatable_.insert(index);
  if (outbox_.holds(index)) {
    reports_.add({.index = index,
                  .attempt = task.attempt,
                  .outcome = outbox_.outcome_of(index),
                  .retry_after = {}});
  } else if (const auto at = running_.find(index); at != running_.end()) {
    // The same fetch answers for both orders, as the later of the two attempts: the newer
    // producer's, who counts its own and knows no other, or the higher.
    if (at->second.of_older_epoch || task.attempt >= at->second.attempt) {
      at->second = {task.attempt, task.may_retry};
    }
  } else if (returning) {
    reports_.add({.index = index,
                  .attempt = task.attempt,
                  .verdict = Report::Verdict::returned,
                  .retry_after = {}});
  } else {
    const auto [place, is_new] = queue_.try_emplace(index);
    if (is_new || task.attempt >= place->second.attempt) place->second = std::move(task);
  }
}

bool JobSession::holds(Index index) const {
  return queue_.contains(index) || running_.contains(index) || outbox_.holds(index);
}

void JobSession::forget_ended() {
  for (auto* tasks : {&unrepeatable_, &older_}) {
    std::erase_if(*tasks, [this](Index index) { return !holds(index); });
  }
}

void JobSession::on_fetched(Fetched&& fetched) {
  const Index index = fetched.result.index;
  const auto at = running_.find(index);
  if (at == running_.end()) return;
  const Running attempt = at->second;
  running_.erase(at);
  Report report{.index = index, .attempt = attempt.attempt, .retry_after = fetched.retry_after};
  report.outcome = fetched.result.outcome;
  if (fetched.result.outcome == Outcome::cancelled) {
    report.verdict = Report::Verdict::returned;
  } else if (fetched.transient && attempt.may_retry) {
    report.verdict = Report::Verdict::retry;
  } else {
    if (fetched.result.attempts > 0) fetched.result.attempts = attempt.attempt;
    outbox_.add(std::move(fetched.result));
  }
  reports_.add(report);
}

void JobSession::return_queue() {
  for (const auto& [index, task] : queue_) {
    reports_.add({.index = index,
                  .attempt = task.attempt,
                  .verdict = Report::Verdict::returned,
                  .retry_after = {}});
  }
  queue_.clear();
}

std::optional<Task> JobSession::start_next(bool head_only) {
  if (queue_.empty()) return std::nullopt;
  const auto first = queue_.begin();
  if (head_only && first->first > outbox_.watermark()) return std::nullopt;
  Task task = std::move(first->second);
  queue_.erase(first);
  running_.emplace(task.index, Running{task.attempt, task.may_retry});
  return task;
}

void JobSession::write_heartbeat(Heartbeat& heartbeat, bool again) {
  heartbeat.received = received_;
  if (again) {
    heartbeat.queued.emplace();
    for (const auto& [index, task] : queue_) heartbeat.queued->insert(index);
    heartbeat.running = static_cast<std::uint32_t>(running_.size());
    forget_ended();
    for (const Index index : older_) heartbeat.of_older_epoch.insert(index);
  }
  reports_.write_to(heartbeat, again);
}

}  // namespace fetchline
