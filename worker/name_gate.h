// A gate in front of libcurl's name lookups. libcurl 7.88 starts a thread for each transfer whose
// name it does not have: no limit, and as many for one name as transfers want it. Here only so many
// look up at once, and of those that want the same name from the same cache only one does.
//
// Asked when libcurl is about to look up, so what it has in its cache, and what goes on a kept
// connection, never comes here. Who has to wait is ended by libcurl as if the name did not exist,
// before anything was sent, and started again later: a transfer's time limits begin anew then. One
// waits for the lookups before it, so many at a time; each ends with its transfer, at the latest
// after --connect-timeout, or, when its thread stays behind, with that (see Driver).
//
// Addresses in URLs and the names of proxies do not come here. The host of a redirect, and that of
// a request that libcurl repeats because a kept connection died under it, are looked up without
// asking: to end these transfers would be to repeat a request.
//
// Pure: time comes in. Owned by one fetcher, on its thread; outlives its transfers. Memory is
// bounded by the transfers that wait and kMostFailures.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fetchline {

class Transfer;

class NameGate {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  // A name that was not found is not looked up again for so long: what waited for it, and what
  // comes at the same moment, ends alike. Less than any wait before a retry by default (750 ms),
  // because a retry is to find out.
  static constexpr milliseconds kFailureLasts{500};
  static constexpr std::size_t kMostFailures = 4096;  // the oldest are forgotten first

  explicit NameGate(std::size_t max_lookups) : max_lookups_(max_lookups) {}  // at least 1

  struct Ticket;

  // One that is wanted and not there, or was not found.
  struct Name {
    const std::string* text = nullptr;
    Ticket* looker = nullptr;
    std::deque<Ticket*> waiting;  // in their order
    std::uint64_t place = 0;      // in queue_, until there is room to look it up; 0: not there
    Clock::time_point failed_until = Clock::time_point::min();
    milliseconds failed_patience{0};
  };

  // A transfer, to the gate, which alone writes to it.
  struct Ticket {
    explicit Ticket(Transfer* its_transfer) : transfer(its_transfer) {}

    [[nodiscard]] bool looks_up() const { return state == State::looking; }
    // Not to run, whatever libcurl says became of it: it is, or will be, in take_ready().
    [[nodiscard]] bool is_held() const { return to_start || state == State::waiting; }

    Transfer* const transfer;
    std::uint64_t place = 0;  // see arrives()
    enum class State { outside, waiting, looking } state = State::outside;
    bool to_start = false;  // in take_ready()
    Name* name = nullptr;   // unless outside
    milliseconds patience{0};
  };

  // The transfer is to start: names wait in the order in which the first for each arrived, because
  // results do. libcurl asks in another one, shard by shard.
  void arrives(Ticket& ticket) { ticket.place = ++arrivals_; }

  // libcurl is about to look `name` up for the transfer, which gives it at most so much time.
  // `failed`: the name was not found a moment ago by one at least as patient.
  enum class Answer { go, wait, failed };
  [[nodiscard]] Answer ask(Ticket& ticket, std::string_view name, milliseconds patience,
                           Clock::time_point now);

  // The transfer that looked up has its addresses, or found that it needs none.
  void found(Ticket& ticket);
  // Its transfer ended before that: the name was not found, the time was over, anything else. A
  // thread that `stays_behind` counts until thread_ended().
  enum class End { failed, timed_out, other };
  void ended(Ticket& ticket, End end, bool stays_behind, Clock::time_point now);
  void thread_ended();
  void leave(Ticket& ticket, bool stays_behind);  // nobody wants the transfer any more

  // To be started now: those whose turn it is to look up, and those whose name was looked up, which
  // ask again should libcurl still not have it.
  [[nodiscard]] std::vector<Ticket*> take_ready();
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }

  [[nodiscard]] std::size_t names() const { return names_.size(); }  // that it keeps

 private:
  struct Failure {
    Clock::time_point until;
    std::string name;
  };

  [[nodiscard]] bool has_room() const { return looking_ + left_behind_ < max_lookups_; }
  void begin(Name& name, Ticket& ticket);
  void queue(Name& name, const Ticket& first);
  void wait_no_more(Ticket& ticket);
  [[nodiscard]] Name& end_lookup(Ticket& ticket);
  void release(Name& name);
  void hand_out();
  void fail(Name& name, milliseconds patience, Clock::time_point now);
  void forget_failures(Clock::time_point now);
  void forget_if_idle(Name& name);

  const std::size_t max_lookups_;
  std::size_t looking_ = 0;
  std::size_t left_behind_ = 0;
  std::unordered_map<std::string, Name> names_;
  std::uint64_t arrivals_ = 0;
  std::map<std::uint64_t, Name*> queue_;  // names that wait for room, by place
  std::deque<Ticket*> ready_;             // until take_ready()
  std::deque<Failure> failures_;          // in the order of their ends
};

}  // namespace fetchline
