#include "proto/permissions.h"

#include <algorithm>
#include <type_traits>

namespace fetchline {
namespace {

// Which Bye it is decides whose leaving it tells of: a worker's has its number, another's none.
bool is_bye_without_worker(const Message& message) {
  const auto* bye = std::get_if<Bye>(&message);
  return bye != nullptr && bye->worker == WorkerId{};
}
bool is_bye_of_worker(const Message& message) {
  return std::holds_alternative<Bye>(message) && !is_bye_without_worker(message);
}

bool are_results_of_producer(const Message& message) {
  const auto* results = std::get_if<Results>(&message);
  return results != nullptr && std::ranges::all_of(results->results, [](const Result& result) {
           return result.outcome == Outcome::invalid_task || result.outcome == Outcome::abandoned;
         });
}

template <class... Allowed>
bool is_one_of(const Message& message) {
  return (std::holds_alternative<Allowed>(message) || ...);
}

bool may_send_to_other_stage(Role from, Role to, const Message& message) {
  if (from == Role::collector && to == Role::producer) {
    return is_one_of<Lines>(message) || is_bye_without_worker(message);
  }
  return from == Role::producer && to == Role::collector &&
         is_one_of<Want, Enough, Refused>(message);
}

}  // namespace

bool may_connect(Role from, Role to, Link link) {
  if (link == Link::chain) return from == Role::collector && to == Role::producer;
  if (from == Role::worker) return to != Role::worker;
  return from == Role::producer && to == Role::collector;
}

bool may_send(Role from, Role to, const Message& message, Link link) {
  if (link == Link::chain) return may_send_to_other_stage(from, to, message);
  switch (from) {
    case Role::worker:
      if (is_bye_of_worker(message)) return may_connect(from, to);
      if (to == Role::producer) return is_one_of<Heartbeat>(message);
      return to == Role::collector && is_one_of<Results>(message);
    case Role::producer:
      if (is_bye_without_worker(message)) return to != Role::producer;
      if (to == Role::worker) return is_one_of<Tasks, Done>(message);
      return to == Role::collector &&
             (is_one_of<Open, End, Recap, Begin>(message) || are_results_of_producer(message));
    case Role::collector:
      if (to == Role::worker) return is_one_of<Acks, Done, Refused>(message);
      return to == Role::producer && is_one_of<Acks, State, Done, Refused>(message);
  }
  return false;
}

}  // namespace fetchline
