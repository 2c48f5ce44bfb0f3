#include "proto/permissions.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/proto/samples.h"

namespace fetchline {
namespace {

Results results_with(Outcome outcome) {
  Results message;
  message.results.emplace_back().outcome = outcome;
  return message;
}

// One of each type; of those that say less from one role than from another, one of each kind.
const std::map<std::string, Message> kMessages = {
    {"Heartbeat", samples::heartbeat()},
    {"Tasks", samples::tasks()},
    {"Results", results_with(Outcome::ok)},
    {"Results of no task", results_with(Outcome::invalid_task)},
    {"Results given up", results_with(Outcome::abandoned)},
    {"Acks", samples::acks()},
    {"Open", samples::open()},
    {"State", samples::state()},
    {"End", samples::end()},
    {"Done", samples::done()},
    {"Bye", Bye{samples::kWorker}},
    {"Bye without a worker", Bye{}},
    {"Refused", Refused{}},
    {"Recap", Recap{}},
    {"Want", Want{}},
    {"Lines", Lines{}},
    {"Enough", Enough{}},
    {"Begin", Begin{}},
};

std::set<std::string> said(Role from, Role to, Link link = Link::stage) {
  std::set<std::string> names;
  for (const auto& [name, message] : kMessages) {
    if (may_send(from, to, message, link)) names.insert(name);
  }
  return names;
}

using Names = std::set<std::string>;

TEST(Permissions, AreThoseOfTheProtocolPage) {
  EXPECT_EQ(said(Role::worker, Role::producer), (Names{"Heartbeat", "Bye"}));
  EXPECT_EQ(said(Role::worker, Role::collector),
            (Names{"Results", "Results of no task", "Results given up", "Bye"}));
  EXPECT_EQ(said(Role::producer, Role::worker), (Names{"Tasks", "Done", "Bye without a worker"}));
  EXPECT_EQ(said(Role::producer, Role::collector),
            (Names{"Results of no task", "Results given up", "Open", "End", "Recap", "Begin",
                   "Bye without a worker"}));
  EXPECT_EQ(said(Role::collector, Role::producer), (Names{"Acks", "State", "Done", "Refused"}));
  EXPECT_EQ(said(Role::collector, Role::worker), (Names{"Acks", "Done", "Refused"}));
  for (const Role role : kRoles) EXPECT_EQ(said(role, role), Names{});
}

TEST(Permissions, BetweenStagesAreLinesOneWayAndTheWishForThemTheOther) {
  for (const Role from : kRoles) {
    for (const Role to : kRoles) {
      Names expected;
      if (from == Role::collector && to == Role::producer)
        expected = {"Lines", "Bye without a worker"};
      if (from == Role::producer && to == Role::collector) expected = {"Want", "Enough", "Refused"};
      EXPECT_EQ(said(from, to, Link::chain), expected) << to_string(from) << " " << to_string(to);
      EXPECT_EQ(may_connect(from, to, Link::chain),
                from == Role::collector && to == Role::producer);
    }
  }
}

TEST(Permissions, OfResultsHoldForEachOfThem) {
  Results message = results_with(Outcome::abandoned);
  message.results.emplace_back().outcome = Outcome::ok;
  EXPECT_FALSE(may_send(Role::producer, Role::collector, message));
}

TEST(Permissions, ToConnectAreThoseOfTheDirections) {
  for (const Role from : kRoles) {
    for (const Role to : kRoles) {
      const bool meant = (from == Role::worker && to != Role::worker) ||
                         (from == Role::producer && to == Role::collector);
      EXPECT_EQ(may_connect(from, to), meant) << to_string(from) << " " << to_string(to);
    }
  }
}

}  // namespace
}  // namespace fetchline
