#include "worker/worker_core.h"

#include <algorithm>
#include <utility>

namespace fetchline {
namespace {

// Tasks wanted beyond the slots, so that none is empty while a report travels to the producer and
// work travels back: some milliseconds of work at the highest rates. Of many slots a sixth, for
// where origins are alike they end together, and every journey brings no more than this.
std::uint32_t backlog_for(std::uint32_t slots) { return std::min(slots, 64 + slots / 6); }

}  // namespace

WorkerCore::WorkerCore(Settings settings)
    : settings_(std::move(settings)), slots_(settings_.slots), links_(settings_.links) {}

void WorkerCore::on_producer_message(std::size_t link, Received received, Instant now) {
  links_[link].producer_heard = now;
  links_[link].producer_left = std::holds_alternative<Bye>(received.message);
  if (auto* tasks = std::get_if<Tasks>(&received.message)) {
    on_tasks(links_[link], received, *tasks, now);
  } else if (std::holds_alternative<Done>(received.message)) {
    on_done(link, received);
  } else if (!std::holds_alternative<Bye>(received.message)) {
    ++dropped_;
  }
}

void WorkerCore::on_tasks(Link& link, Received& received, Tasks& message, Instant now) {
  if (link.finished) return;
  link.producer_waits = received.job.is_none();
  if (link.producer_waits) return;
  if (!link.session || link.session->job() != received.job) {
    if (!message.settings) return;  // they come with every message until we confirm one
    if (link.session) end_session(link);
    const JobSlot slot{next_slot_++};
    link.session.emplace(received.job, received.epoch, slot, *message.settings);
    commands_.emplace_back(OpenJob{slot, *message.settings});
  }
  link.session->on_tasks(received.epoch, std::move(message), wants_none(link, now));
}

// What it would fetch while it is cut off from the collector would help nobody.
bool WorkerCore::wants_none(const Link& link, Instant now) const {
  return draining_ || (link.session && link.session->outbox().is_cut_off(now));
}

void WorkerCore::on_done(std::size_t number, const Received& received) {
  Link& link = links_[number];
  if (link.session && link.session->job() != received.job) return;
  outgoing_.push_back(
      {number, To::producer, encode(received.job, received.epoch, Bye{settings_.id})});
  outgoing_.push_back(
      {number, To::collector, encode(received.job, received.epoch, Bye{settings_.id})});
  if (link.session) end_session(link);
  link.finished = !settings_.keep_alive;
}

void WorkerCore::end_session(Link& link) {
  commands_.emplace_back(CloseJob{link.session->slot()});
  link.session.reset();
  link.collector_busy = false;
}

void WorkerCore::on_collector_message(std::size_t link, Received received, Instant now) {
  auto& session = links_[link].session;
  if (const auto* acks = std::get_if<Acks>(&received.message)) {
    if (!session || session->job() != received.job) return;
    links_[link].collector_busy = false;
    session->outbox().on_acks(*acks, now);
  } else if (const auto* refused = std::get_if<Refused>(&received.message)) {
    const bool is_ours = session && session->job() == received.job;
    if (is_ours) links_[link].collector_busy = refused->reason == Refused::Reason::busy;
  } else if (std::holds_alternative<Done>(received.message)) {
    on_done(link, received);
  } else {
    ++dropped_;
  }
}

bool WorkerCore::has_job(JobSlot slot) const {
  return std::any_of(links_.begin(), links_.end(), [slot](const Link& link) {
    return link.session && link.session->slot() == slot;
  });
}

void WorkerCore::on_fetched(Fetched&& fetched) {
  for (Link& link : links_) {
    if (link.session && link.session->slot() == fetched.job) {
      link.session->on_fetched(std::move(fetched));
      return;
    }
  }
}

void WorkerCore::drain() {
  draining_ = true;
  last_heartbeat_ = {};  // say so at once
  for (Link& link : links_) {
    if (link.session) link.session->return_queue();
  }
}

void WorkerCore::advance(Instant now) {
  for (Link& link : links_) {
    if (!link.session) continue;
    link.session->outbox().advance(now);
    if (wants_none(link, now)) link.session->return_queue();
  }
  start_tasks();
  send_heartbeats(now);
  if (draining_) leave_when_drained(now);
}

// From each link in turn, beginning where the last turn ended, so that a job with a long queue
// does not starve another.
void WorkerCore::start_tasks() {
  std::size_t free = slots_ - std::min<std::size_t>(slots_, running());
  for (std::size_t idle = 0; free > 0 && idle < links_.size();) {
    auto& session = links_[next_link_].session;
    next_link_ = (next_link_ + 1) % links_.size();
    const bool full = session && session->outbox().held_bytes() >= settings_.held_bytes;
    auto task = session ? session->start_next(full) : std::nullopt;
    if (!task) {
      ++idle;
      continue;
    }
    commands_.emplace_back(Fetch{session->slot(), std::move(*task)});
    idle = 0;
    --free;
  }
}

std::uint32_t WorkerCore::share_of(std::uint32_t amount) const {
  const auto jobs = static_cast<std::uint32_t>(std::count_if(
      links_.begin(), links_.end(), [](const Link& l) { return l.session.has_value(); }));
  return jobs <= 1 ? amount : std::max(1U, amount / jobs);
}

void WorkerCore::send_heartbeats(Instant now) {
  const bool periodic = now - last_heartbeat_ >= kHeartbeat;
  const bool reporting = has_reports() && now >= next_report_due();
  if (!periodic && !reporting) return;
  if (periodic) last_heartbeat_ = now;
  last_report_ = now;
  for (std::size_t number = 0; number < links_.size(); ++number) {
    Link& link = links_[number];
    if (link.finished) continue;
    if (!periodic && !(link.session && link.session->reports().has_unsent())) continue;
    Heartbeat heartbeat;
    heartbeat.worker = settings_.id;
    heartbeat.name = settings_.name;
    heartbeat.seq = ++heartbeat_seq_;
    heartbeat.draining = wants_none(link, now);
    heartbeat.cut_off = link.session && link.session->outbox().is_cut_off(now);
    const bool full = link.session && link.session->outbox().held_bytes() >= settings_.held_bytes;
    heartbeat.slots = full ? 0 : share_of(slots_);
    heartbeat.backlog = full ? 0 : backlog_for(heartbeat.slots);
    JobId job;
    Epoch epoch{};
    if (link.session) {
      job = link.session->job();
      epoch = link.session->epoch();
      link.session->write_heartbeat(heartbeat, periodic);
    }
    outgoing_.push_back({number, To::producer, encode(job, epoch, heartbeat)});
  }
}

bool WorkerCore::has_reports() const {
  return std::any_of(links_.begin(), links_.end(), [](const Link& link) {
    return link.session && link.session->reports().has_unsent();
  });
}

// Reports are for a producer that reads them; results are waited for in any case.
bool WorkerCore::is_idle(const Link& link, Instant now) {
  if (!link.session) return true;
  const bool unread = link.producer_left || now - link.producer_heard >= kGone;
  return link.session->is_empty() && (unread || link.session->reports().empty());
}

void WorkerCore::leave_when_drained(Instant now) {
  const bool idle = std::all_of(links_.begin(), links_.end(),
                                [now](const Link& link) { return is_idle(link, now); });
  if (!idle || left_) return;
  left_ = true;
  for (std::size_t number = 0; number < links_.size(); ++number) {
    say_bye(number);
  }
}

void WorkerCore::say_bye(std::size_t number) {
  const auto& session = links_[number].session;
  const JobId job = session ? session->job() : JobId{};  // logged in only, if at all
  const Epoch epoch = session ? session->epoch() : Epoch{};
  const Bye bye{settings_.id};
  outgoing_.push_back({number, To::producer, encode(job, epoch, bye)});
  outgoing_.push_back({number, To::collector, encode(job, epoch, bye)});
}

std::vector<WorkerCore::Outgoing> WorkerCore::take_outgoing() {
  return std::exchange(outgoing_, {});
}

std::vector<FetchCommand> WorkerCore::take_commands() { return std::exchange(commands_, {}); }

std::optional<Frames> WorkerCore::next_results(std::size_t link, Instant now) {
  auto& session = links_[link].session;
  if (!session) return std::nullopt;
  return session->outbox().next_batch(session->job(), session->epoch(), settings_.id, now);
}

void WorkerCore::results_not_sent(std::size_t link) {
  links_[link].session->outbox().take_back_last_batch();
}

bool WorkerCore::over() const {
  return left_ ||
         std::all_of(links_.begin(), links_.end(), [](const Link& l) { return l.finished; });
}

std::size_t WorkerCore::running() const {
  std::size_t count = 0;
  for (const Link& link : links_) count += link.session ? link.session->running() : 0;
  return count;
}

std::size_t WorkerCore::queued() const {
  std::size_t count = 0;
  for (const Link& link : links_) count += link.session ? link.session->queued() : 0;
  return count;
}

std::vector<BodyBudget::Head> WorkerCore::heads() const {
  std::vector<BodyBudget::Head> heads;
  for (const Link& link : links_) {
    if (link.session) {
      heads.push_back({link.session->slot(), link.session->outbox().watermark()});
    }
  }
  return heads;
}

std::size_t WorkerCore::held_bytes() const {
  std::size_t bytes = 0;
  for (const Link& link : links_) bytes += link.session ? link.session->outbox().held_bytes() : 0;
  return bytes;
}

}  // namespace fetchline
