// What the producer core tells whoever watches it.
#include "producer/producer_status.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "producer/producer_core.h"
#include "proto/ascii.h"
#include "proto/url.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

milliseconds since(Instant then, Instant now) {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(now - then));
}

std::string_view name_of(ProducerCore::Phase phase) {
  using Phase = ProducerCore::Phase;
  switch (phase) {
    case Phase::opening:
      return "opening";
    case Phase::comparing:
      return "comparing";
    case Phase::running:
      return "running";
    case Phase::done:
      return "done";
    case Phase::fenced:
      return "fenced";
    case Phase::forgotten:
      return "forgotten";
    case Phase::other_input:
      return "other_input";
  }
  return "";
}

std::string_view host_in(std::string_view url) {
  const auto parsed = parse_url(url);
  const auto* view = std::get_if<UrlView>(&parsed);
  return view == nullptr ? std::string_view() : view->host;
}

// The `most` first by `count`, the larger first.
template <class T, class Count>
void keep_largest(std::vector<T>& all, std::size_t most, Count count) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(),
                    [&](const T& a, const T& b) { return count(a) > count(b); });
  all.erase(end, all.end());
}

}  // namespace

ProducerStatus ProducerCore::status(Instant now) {
  ProducerStatus status;
  status.phase = name_of(phase_);
  status.job = job_;
  status.epoch = epoch_;
  status.tasks_read = next_index();
  status.input_ended = input_ended_;
  status.stopping = !dispatching_;
  status.finished = finished();
  if (dispatch_limit_ < kMaxIndex) status.dispatch_limit = dispatch_limit_;
  status.unsent = ledger_.unsent();
  status.in_flight = ledger_.leased();
  status.waiting_for_retry = ledger_.waiting();
  status.suspects = ledger_.suspects();
  status.begun = begun_;
  status.second_leases = spares_;
  status.workers_lost = workers_lost_;
  status.dropped_messages = dropped_;
  status.worker_count = workers_.size();
  status.workers = shown_workers(now);
  status.hosts = busiest_hosts();
  if (phase_ != Phase::done && watermark_ < next_index()) status.head = head(now);
  return status;
}

std::vector<ProducerStatus::Worker> ProducerCore::shown_workers(Instant now) const {
  std::vector<ProducerStatus::Worker> shown;
  for (const auto& [id, worker] : workers_) {
    shown.push_back({.name = worker.name(),
                     .held = ledger_.leased_to(id),
                     .slots = worker.slots(),
                     .draining = worker.draining(),
                     .silent = since(worker.heard(), now)});
  }
  keep_largest(shown, ProducerStatus::kMostWorkers, [](const auto& worker) { return worker.held; });
  return shown;
}

std::vector<ProducerStatus::Host> ProducerCore::busiest_hosts() {
  std::unordered_map<std::string_view, std::size_t> written;  // a host as its URLs have it
  for (const Ledger::Held& held : ledger_.held()) ++written[host_in(held.task->url)];
  std::unordered_map<std::string, std::size_t> counts;
  for (const auto& [host, count] : written) counts[lowered(host)] += count;
  std::vector<ProducerStatus::Host> hosts;
  for (auto& [name, count] : counts) hosts.push_back({name, count});
  keep_largest(hosts, ProducerStatus::kMostHosts, [](const auto& host) { return host.in_flight; });
  return hosts;
}

ProducerStatus::Head ProducerCore::head(Instant now) const {
  ProducerStatus::Head head;
  head.index = watermark_;
  const auto standing = ledger_.standing(watermark_);
  if (!standing) {
    head.place = "delivered";  // the collector has it, and puts it out
    return head;
  }
  head.place = standing->place;
  head.url = without_userinfo(standing->task->url);
  head.attempt = standing->task->attempt;
  if (standing->due) head.due = since(now, *standing->due);
  if (!standing->lease) return head;
  head.age = since(standing->lease->since, now);
  for (const auto* known : {&workers_, &silent_workers_}) {
    const auto at = known->find(standing->lease->worker);
    if (at != known->end()) head.worker = at->second.name();
  }
  return head;
}

}  // namespace fetchline
