#include "producer/worker_session.h"

#include <algorithm>

namespace fetchline {

bool WorkerSession::could_say(const Heartbeat& heartbeat) const {
  if (heartbeat.received.empty()) return true;
  const auto& received = heartbeat.received.ranges();
  return received.front().first > 0 && received.back().last <= last_message_;
}

void WorkerSession::adopt_numbers(const Heartbeat& heartbeat) {
  if (!heartbeat.received.empty()) last_message_ = heartbeat.received.ranges().back().last;
  if (heartbeat.first_report > 0) reports_seen_ = heartbeat.first_report - 1;
}

std::vector<Report> WorkerSession::on_heartbeat(const PeerId& peer, const Heartbeat& heartbeat,
                                                Instant now) {
  heard_ = now;
  answer_due_ = true;
  closed_ = false;
  for (const IndexRange& range : heartbeat.received.ranges()) {
    unconfirmed_.erase(unconfirmed_.lower_bound(range.first), unconfirmed_.upper_bound(range.last));
    const auto arrived = doubted_.lower_bound(range.first);
    const auto end = doubted_.upper_bound(range.last);
    runs_unknown_ = runs_unknown_ || arrived != end;
    doubted_.erase(arrived, end);
    newest_received_ = std::max(newest_received_, range.last);
    has_settings_ = true;
  }
  std::vector<Report> fresh;
  // A gap is what a lost heartbeat leaves: each second the worker says all again that we lack.
  if (heartbeat.first_report <= reports_seen_ + 1) {
    const std::uint64_t known = reports_seen_ + 1 - heartbeat.first_report;
    if (known < heartbeat.reports.size()) {
      fresh.assign(heartbeat.reports.begin() + static_cast<std::ptrdiff_t>(known),
                   heartbeat.reports.end());
      reports_seen_ += fresh.size();
    }
  }
  taken_up_ += fresh.size();
  if (heartbeat.seq >= heartbeat_seq_) {
    if (heartbeat.queued) {
      tells_queued_ = true;
      queued_ = *heartbeat.queued;
      running_ = heartbeat.running;
      taken_up_ = 0;
    }
    heartbeat_seq_ = heartbeat.seq;
    peer_ = peer;
    name_ = heartbeat.name;
    slots_ = heartbeat.slots;
    backlog_ = heartbeat.backlog;
    draining_ = heartbeat.draining;
  }
  return fresh;
}

std::uint64_t WorkerSession::number_next_message(Instant now) {
  unconfirmed_.emplace(++last_message_, now);
  return last_message_;
}

bool WorkerSession::take_probe_due(Instant now) {
  constexpr std::chrono::seconds kApart{1};
  if (!quiet(now) || now - probed_ < kApart) return false;
  probed_ = now;
  return true;
}

std::vector<WorkerSession::LostMessage> WorkerSession::take_lost_messages() {
  std::vector<LostMessage> lost;
  while (!doubted_.empty() && *doubted_.begin() < newest_received_) {
    lost.push_back({*doubted_.begin(), true});
    doubted_.erase(doubted_.begin());
  }
  for (auto at = unconfirmed_.begin(); at != unconfirmed_.end();) {
    const bool overtaken = at->first < newest_received_;
    // Silence is the lease's matter: only a worker that speaks can be said to lack a message.
    const bool overdue = heard_ - at->second >= kConfirmWithin;
    if (!overtaken && !overdue) {
      ++at;
      continue;
    }
    lost.push_back({at->first, overtaken});
    if (!overtaken) doubted_.insert(at->first);
    at = unconfirmed_.erase(at);
  }
  return lost;
}

void WorkerSession::compare_with_leases(std::size_t leased) {
  const std::uint64_t held = queued_.size() + running_;
  const std::uint64_t unleased = runs_unknown_ ? held - std::min<std::uint64_t>(held, leased) : 0;
  unleased_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(unleased, slots_));
}

IndexSet WorkerSession::queued() const {
  IndexSet rest;
  std::uint64_t left_out = 0;
  for (IndexRange range : queued_.ranges()) {
    const std::uint64_t length = range.last - range.first + 1;
    const std::uint64_t skipped = std::min(length, taken_up_ - left_out);
    left_out += skipped;
    range.first += skipped;
    if (skipped < length) rest.insert(range);
  }
  return rest;
}

}  // namespace fetchline
