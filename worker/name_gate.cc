#include "worker/name_gate.h"

#include <algorithm>
#include <utility>

namespace fetchline {
namespace {

void take_out(std::deque<NameGate::Ticket*>& from, NameGate::Ticket& what) {
  const auto found = std::find(from.begin(), from.end(), &what);
  if (found != from.end()) from.erase(found);
}

}  // namespace

NameGate::Answer NameGate::ask(Ticket& ticket, std::string_view text, milliseconds patience,
                               Clock::time_point now) {
  if (ticket.looks_up()) return Answer::go;
  forget_failures(now);
  ticket.patience = patience;
  const auto at = names_.try_emplace(std::string(text)).first;
  Name& name = at->second;
  name.text = &at->first;
  if (now < name.failed_until && patience <= name.failed_patience) return Answer::failed;
  if (name.looker == nullptr && name.place == 0) {
    if (has_room()) {
      begin(name, ticket);
      return Answer::go;
    }
    queue(name, ticket);
  }
  ticket.state = Ticket::State::waiting;
  ticket.name = &name;
  name.waiting.push_back(&ticket);
  return Answer::wait;
}

void NameGate::begin(Name& name, Ticket& ticket) {
  ++looking_;
  name.looker = &ticket;
  ticket.state = Ticket::State::looking;
  ticket.name = &name;
}

void NameGate::queue(Name& name, const Ticket& first) {
  name.place = first.place;
  queue_.emplace(name.place, &name);
}

void NameGate::found(Ticket& ticket) {
  Name& name = end_lookup(ticket);
  name.failed_until = Clock::time_point::min();
  release(name);
  forget_if_idle(name);
  hand_out();
}

void NameGate::ended(Ticket& ticket, End end, bool stays_behind, Clock::time_point now) {
  Name& name = end_lookup(ticket);
  if (stays_behind) ++left_behind_;
  if (end == End::failed) {
    fail(name, milliseconds::max(), now);
  } else if (end == End::timed_out) {
    fail(name, ticket.patience, now);
  } else if (!name.waiting.empty()) {
    queue(name, *name.waiting.front());
  }
  forget_if_idle(name);
  hand_out();
}

void NameGate::thread_ended() {
  --left_behind_;
  hand_out();
}

void NameGate::leave(Ticket& ticket, bool stays_behind) {
  if (std::exchange(ticket.to_start, false)) take_out(ready_, ticket);
  if (ticket.looks_up()) return ended(ticket, End::other, stays_behind, {});
  if (ticket.state != Ticket::State::waiting) return;
  Name& name = *ticket.name;
  wait_no_more(ticket);
  take_out(name.waiting, ticket);
  if (name.waiting.empty()) queue_.erase(std::exchange(name.place, 0));
  forget_if_idle(name);
}

std::vector<NameGate::Ticket*> NameGate::take_ready() {
  std::vector<Ticket*> ready(ready_.begin(), ready_.end());
  ready_.clear();
  for (Ticket* ticket : ready) ticket->to_start = false;
  return ready;
}

void NameGate::wait_no_more(Ticket& ticket) {
  ticket.state = Ticket::State::outside;
  ticket.name = nullptr;
}

NameGate::Name& NameGate::end_lookup(Ticket& ticket) {
  Name& name = *ticket.name;
  wait_no_more(ticket);
  --looking_;
  name.looker = nullptr;
  return name;
}

// All that wait for it: libcurl has it now, or they hear that it was not found.
void NameGate::release(Name& name) {
  for (Ticket* ticket : name.waiting) {
    wait_no_more(*ticket);
    ticket->to_start = true;
    ready_.push_back(ticket);
  }
  name.waiting.clear();
}

void NameGate::hand_out() {
  while (has_room() && !queue_.empty()) {
    Name& name = *queue_.begin()->second;
    queue_.erase(queue_.begin());
    name.place = 0;
    Ticket& first = *name.waiting.front();
    name.waiting.pop_front();
    begin(name, first);
    first.to_start = true;
    ready_.push_back(&first);
  }
}

void NameGate::fail(Name& name, milliseconds patience, Clock::time_point now) {
  name.failed_until = now + kFailureLasts;
  name.failed_patience = patience;
  failures_.push_back({name.failed_until, *name.text});
  release(name);
}

// One that failed again meanwhile has a later entry.
void NameGate::forget_failures(Clock::time_point now) {
  while (!failures_.empty() &&
         (failures_.front().until <= now || failures_.size() > kMostFailures)) {
    const Failure gone = std::move(failures_.front());
    failures_.pop_front();
    const auto at = names_.find(gone.name);
    if (at == names_.end() || at->second.failed_until != gone.until) continue;
    at->second.failed_until = Clock::time_point::min();
    forget_if_idle(at->second);
  }
}

void NameGate::forget_if_idle(Name& name) {
  const bool is_idle = name.looker == nullptr && name.waiting.empty() &&
                       name.failed_until == Clock::time_point::min();
  if (is_idle) names_.erase(names_.find(*name.text));
}

}  // namespace fetchline
