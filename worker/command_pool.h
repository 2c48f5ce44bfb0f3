// Runs the command of --emit exec: for each result that is ok. One thread runs all of them; how
// many there are at once is bounded by who gives the results, who holds a slot for each.
//
// Owned by the relay. The thread is given results and orders through a mailbox and answers through
// another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <variant>
#include <vector>

#include "worker/command.h"
#include "worker/fetcher.h"
#include "worker/mailbox.h"

namespace fetchline {

// No command can be run on this machine: it has no shell, say. what() says why.
struct CommandError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class CommandPool {
 public:
  explicit CommandPool(CommandOptions options);  // throws CommandError
  ~CommandPool();                                // kills what runs
  CommandPool(const CommandPool&) = delete;
  CommandPool& operator=(const CommandPool&) = delete;

  // It comes back with what the command emits, unless its job is closed meanwhile.
  void run(Fetched fetched, Instant now);
  void close(JobSlot job);
  // The worker is ending: a command that is stopped is no verdict on its task any more. A result
  // that may be fetched again comes back as cancelled, for others.
  void begin_drain();
  // Kills what runs and runs nothing more. Results come back as above.
  void cancel();

  [[nodiscard]] std::vector<Fetched> take_done();
  [[nodiscard]] int fd() const { return done_.fd(); }  // readable when take_done() has some
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(begun_.size()); }
  [[nodiscard]] std::optional<Instant> oldest() const;                  // when it began
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }  // by their results

 private:
  struct Drain {};
  struct Cancel {};
  struct Stop {};
  struct Run {  // there and back
    Fetched fetched;
    std::size_t held_bytes = 0;
    Instant begun{};
    bool is_closed = false;  // its job: nobody waits for it
  };
  using Order = std::variant<Run, CloseJob, Drain, Cancel, Stop>;
  class Loop;

  Mailbox<Order> orders_;
  Mailbox<Run> done_;
  std::multiset<Instant> begun_;  // of those that are not back
  std::size_t held_bytes_ = 0;
  std::thread thread_;
};

}  // namespace fetchline
