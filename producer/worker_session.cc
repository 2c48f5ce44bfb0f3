#include "producer/worker_session.h"

#include <algorithm>

namespace fetchline {

std::vector<Report> WorkerSession::on_heartbeat(const PeerId& peer, const Heartbeat& heartbeat,
                                                Instant now) {
  heard_ = now;
  answer_due_ = true;
  for (const IndexRange& range : heartbeat.received.ranges()) {
    unconfirmed_.erase(unconfirmed_.lower_bound(range.first), unconfirmed_.upper_bound(range.last));
    newest_received_ = std::max(newest_received_, range.last);
    has_settings_ = true;
  }
  std::vector<Report> fresh;
  // Reports start where ours end, or before: a gap is filled by the next heartbeat.
  if (heartbeat.first_report <= reports_seen_ + 1) {
    const std::uint64_t known = reports_seen_ + 1 - heartbeat.first_report;
    if (known < heartbeat.reports.size()) {
      fresh.assign(heartbeat.reports.begin() + static_cast<std::ptrdiff_t>(known),
                   heartbeat.reports.end());
      reports_seen_ += fresh.size();
    }
  }
  if (heartbeat.seq >= heartbeat_seq_) {
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

std::vector<std::uint64_t> WorkerSession::take_lost_messages() {
  std::vector<std::uint64_t> lost;
  for (auto at = unconfirmed_.begin(); at != unconfirmed_.end();) {
    const bool overtaken = at->first < newest_received_;
    // Silence is the lease's matter: only a worker that speaks can be said to lack a message.
    const bool overdue = heard_ - at->second >= kConfirmWithin;
    if (!overtaken && !overdue) {
      ++at;
      continue;
    }
    lost.push_back(at->first);
    at = unconfirmed_.erase(at);
  }
  return lost;
}

}  // namespace fetchline
