#include "worker/name_gate.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace fetchline {
namespace {

using Answer = NameGate::Answer;
using Ended = NameGate::End;
using Ticket = NameGate::Ticket;
using std::chrono::milliseconds;
using std::chrono::seconds;

class NameGateTest : public testing::Test {
 protected:
  Ticket& ticket() {
    Ticket& ticket = tickets_.emplace_back(nullptr);
    gate.arrives(ticket);
    return ticket;
  }

  Answer ask(Ticket& ticket, std::string_view name, milliseconds patience = seconds(10)) {
    return gate.ask(ticket, name, patience, now);
  }

  // One that looks `name` up, or waits for that.
  Ticket& asker(std::string_view name, Answer expected, milliseconds patience = seconds(10)) {
    Ticket& asker = ticket();
    EXPECT_EQ(ask(asker, name, patience), expected) << name;
    EXPECT_EQ(asker.looks_up(), expected == Answer::go);
    EXPECT_EQ(asker.is_held(), expected == Answer::wait);
    return asker;
  }

  std::vector<Ticket*> ready() {
    std::vector<Ticket*> ready = gate.take_ready();
    EXPECT_FALSE(gate.has_ready());
    for (const Ticket* one : ready) EXPECT_FALSE(one->is_held());
    return ready;
  }

  using Tickets = std::vector<Ticket*>;
  NameGate gate{2};
  NameGate::Clock::time_point now{seconds(1000)};

 private:
  std::deque<Ticket> tickets_;
};

TEST_F(NameGateTest, LetsOneLookUpForAllThatWantTheName) {
  Ticket& first = asker("a", Answer::go);
  Ticket& second = asker("a", Answer::wait);
  Ticket& third = asker("a", Answer::wait);
  EXPECT_FALSE(gate.has_ready());
  gate.found(first);
  EXPECT_TRUE(second.is_held()) << "until it is taken";
  EXPECT_EQ(ready(), (Tickets{&second, &third}));
  EXPECT_EQ(gate.names(), 0U);
}

TEST_F(NameGateTest, LetsWhoLooksUpAskAgain) {
  Ticket& first = asker("a", Answer::go);
  EXPECT_EQ(ask(first, "a"), Answer::go);
  gate.found(first);
  asker("b", Answer::go);
  asker("c", Answer::go);
}

TEST_F(NameGateTest, LooksUpSoManyAtOnceAndTheOthersInTheirOrder) {
  Ticket& a = asker("a", Answer::go);
  Ticket& b = asker("b", Answer::go);
  Ticket& c = asker("c", Answer::wait);
  Ticket& d = asker("d", Answer::wait);
  Ticket& second_c = asker("c", Answer::wait);
  gate.found(b);
  EXPECT_EQ(ready(), Tickets{&c});
  EXPECT_TRUE(c.looks_up()) << "nobody takes its turn";
  asker("e", Answer::wait);
  EXPECT_EQ(ask(c, "c"), Answer::go);
  gate.found(a);
  EXPECT_EQ(ready(), Tickets{&d});
  gate.found(c);
  EXPECT_EQ(ready().front(), &second_c);
}

TEST_F(NameGateTest, LooksUpFirstWhatCameFirstWhoeverAsksFirst) {
  Ticket& early = ticket();
  Ticket& a = asker("a", Answer::go);
  asker("b", Answer::go);
  Ticket& late = asker("c", Answer::wait);
  EXPECT_EQ(ask(early, "d"), Answer::wait);
  gate.found(a);
  EXPECT_EQ(ready(), Tickets{&early});
  gate.found(early);
  EXPECT_EQ(ready(), Tickets{&late});
}

TEST_F(NameGateTest, TellsAllThatTheNameWasNotFound) {
  Ticket& first = asker("a", Answer::go);
  Ticket& second = asker("a", Answer::wait);
  gate.ended(first, Ended::failed, false, now);
  EXPECT_EQ(ready(), Tickets{&second});
  EXPECT_EQ(ask(second, "a"), Answer::failed);
  EXPECT_FALSE(second.looks_up() || second.is_held());
  asker("a", Answer::failed, seconds(1000));
  asker("other", Answer::go);
}

TEST_F(NameGateTest, LooksUpAgainWhatWasNotFoundAMomentAgo) {
  gate.ended(asker("a", Answer::go), Ended::failed, false, now);
  now += NameGate::kFailureLasts - milliseconds(1);
  asker("a", Answer::failed);
  now += milliseconds(1);
  Ticket& second = asker("a", Answer::go);
  gate.ended(second, Ended::failed, false, now);
  asker("a", Answer::failed);
}

TEST_F(NameGateTest, GivesUpWithTheFirstOnlyThoseThatAreNoMorePatient) {
  Ticket& first = asker("a", Answer::go, milliseconds(100));
  Ticket& same = asker("a", Answer::wait, milliseconds(100));
  Ticket& patient = asker("a", Answer::wait, milliseconds(101));
  gate.ended(first, Ended::timed_out, false, now);
  EXPECT_EQ(ready(), (Tickets{&same, &patient}));
  EXPECT_EQ(ask(same, "a", milliseconds(100)), Answer::failed);
  EXPECT_EQ(ask(patient, "a", milliseconds(101)), Answer::go);
  gate.found(patient);
  asker("a", Answer::go, milliseconds(100));
}

TEST_F(NameGateTest, LetsTheNextLookUpWhenTheFirstIsNotWantedAnyMore) {
  Ticket& first = asker("a", Answer::go);
  Ticket& second = asker("a", Answer::wait);
  Ticket& third = asker("a", Answer::wait);
  gate.leave(first, false);
  EXPECT_EQ(ready(), Tickets{&second});
  EXPECT_TRUE(second.looks_up());
  gate.ended(second, Ended::other, false, now);
  EXPECT_EQ(ready(), Tickets{&third});
  EXPECT_TRUE(third.looks_up());
}

TEST_F(NameGateTest, CountsThreadsThatStayBehind) {
  Ticket& a = asker("a", Answer::go);
  Ticket& b = asker("b", Answer::go);
  Ticket& c = asker("c", Answer::wait);
  gate.leave(a, true);
  gate.ended(b, Ended::timed_out, true, now);
  EXPECT_FALSE(gate.has_ready());
  gate.thread_ended();
  EXPECT_EQ(ready(), Tickets{&c});
  asker("d", Answer::wait);
  gate.thread_ended();
  EXPECT_EQ(ready().size(), 1U);
}

TEST_F(NameGateTest, ForgetsWhoLeaves) {
  Ticket& a = asker("a", Answer::go);
  asker("b", Answer::go);
  Ticket& leaves_queue = asker("c", Answer::wait);
  Ticket& leaves_ready = asker("a", Answer::wait);
  Ticket& leaves_turn = asker("d", Answer::wait);
  Ticket& last = asker("e", Answer::wait);
  gate.leave(leaves_queue, false);
  gate.found(a);
  gate.leave(leaves_ready, false);
  EXPECT_TRUE(leaves_turn.looks_up());
  gate.leave(leaves_turn, false);
  EXPECT_EQ(ready(), Tickets{&last});
  for (const Ticket* gone : {&leaves_queue, &leaves_ready, &leaves_turn}) {
    EXPECT_FALSE(gone->looks_up() || gone->is_held());
  }
  EXPECT_EQ(gate.names(), 2U);
}

TEST_F(NameGateTest, KeepsNoMoreFailuresThanItMay) {
  for (std::size_t i = 0; i < NameGate::kMostFailures + 10; ++i) {
    gate.ended(asker("name " + std::to_string(i), Answer::go), Ended::failed, false, now);
  }
  asker("last", Answer::go);
  EXPECT_LE(gate.names(), NameGate::kMostFailures + 1);
  now += NameGate::kFailureLasts;
  asker("latest", Answer::go);
  EXPECT_EQ(gate.names(), 2U);
}

}  // namespace
}  // namespace fetchline
