#include "worker/command_pool.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <system_error>
#include <utility>

#include "worker/block_sigpipe.h"

namespace fetchline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStartRetry{1};

// Others end, too: that there is no room now says nothing about the command.
bool is_shortage(const std::error_code& error) {
  return error == std::errc::resource_unavailable_try_again ||
         error == std::errc::not_enough_memory || error == std::errc::too_many_files_open ||
         error == std::errc::too_many_files_open_in_system;
}

// What was sent and must not be sent twice stays as it is.
void give_up(Fetched& fetched) {
  if (fetched.repeatable) {
    fetched.result.outcome = Outcome::cancelled;
    fetched.result.emit.reset();
  } else {
    fetched.result.emit = {.lines = {}, .error = "the worker was stopped before the command ended"};
  }
}

}  // namespace

class CommandPool::Loop {
 public:
  Loop(CommandOptions options, Mailbox<Order>& orders, Mailbox<Run>& done)
      : options_(std::move(options)), orders_(orders), done_(done) {
    // Who started us may have left it ignored: then nobody would learn how a command ended.
    std::signal(SIGCHLD, SIG_DFL);
  }

  void run() {
    // A command that became somebody else, by sudo say, could not be ended by us any more.
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    block_sigpipe();  // a command that does not read its stdin is no reason to die
    while (!stopping_) {
      wait();
      const Instant now = Clock::now();
      for (Order& order : orders_.take()) {
        std::visit([this, now](auto& what) { on(what, now); }, order);
      }
      advance(now);
      reap_adopted();
      done_.push_all(outgoing_);
    }
  }

 private:
  struct Running {
    Run run;
    std::unique_ptr<Command> command;  // looks at the result
    // Without a command: then one that was stopped has failed, unless a drain began, and for one
    // that could not be started, which has emitted nothing, there may be room.
    Instant due{};
  };

  void wait() {
    constexpr std::chrono::milliseconds kMost{60'000};
    const Instant now = Clock::now();
    Instant due = now + kMost;
    items_.assign({{.fd = orders_.fd(), .events = POLLIN, .revents = 0}});
    for (const Running& one : running_) {
      if (one.command) one.command->add_to(items_);
      due = std::min(due, one.command ? one.command->deadline() : one.due);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(due, now) - now);
    poll(items_.data(), items_.size(), static_cast<int>(left.count()));
  }

  void on(Run& run, Instant now) {
    const auto one = running_.insert(running_.end(), {.run = std::move(run), .command = nullptr});
    if (cancelled_) return end_stopped(one);
    start(one, now);
  }

  void start(std::list<Running>::iterator one, Instant now) {
    Result& result = one->run.fetched.result;
    try {
      tend_guard();
      one->command = std::make_unique<Command>(options_, result, guard_, now);
    } catch (const std::system_error& error) {
      if (is_shortage(error.code()) && has_time_left(one->run, now)) {
        if (draining_) return end_stopped(one);
        one->due = now + kStartRetry;
        return;
      }
      const std::string why = std::string("the command could not be started: ") + error.what();
      result.emit = {.lines = {}, .error = why};
      end(one);
    }
  }

  // A command may wait as long as it may run.
  [[nodiscard]] bool has_time_left(const Run& run, Instant now) const {
    return options_.max_time.count() == 0 || now < run.begun + options_.max_time;
  }

  void tend_guard() {
    if (!guard_.revive()) return;
    for (const Running& one : running_) {
      if (one.command) guard_.enter(one.command->group());
    }
  }

  void on(const CloseJob& close, Instant /*now*/) {
    for (auto at = running_.begin(); at != running_.end();) {
      const auto one = at++;
      if (one->run.fetched.job != close.job) continue;
      one->run.is_closed = true;
      end(one);
    }
  }

  void on(const Drain& /*drain*/, Instant /*now*/) {
    draining_ = true;
    for (auto at = running_.begin(); at != running_.end();) {
      const auto one = at++;
      if (!one->command) end_stopped(one);
    }
  }

  void on(const Cancel& /*cancel*/, Instant /*now*/) {
    cancelled_ = true;
    while (!running_.empty()) end_stopped(running_.begin());
  }

  void on(const Stop& /*stop*/, Instant /*now*/) { stopping_ = true; }

  void advance(Instant now) {
    for (auto at = running_.begin(); at != running_.end();) {
      const auto one = at++;
      if (!one->command) {
        if (now < one->due) continue;
        one->run.fetched.result.emit ? end(one) : start(one, now);
        continue;
      }
      auto emitted = one->command->advance(now);
      if (!emitted) continue;
      one->run.fetched.result.emit = std::move(*emitted);
      if (!one->command->was_stopped()) {
        end(one);
      } else if (draining_) {
        end_stopped(one);
      } else {
        one->command.reset();
        one->due = now + options_.stop_patience;
      }
    }
  }

  // As process 1 of a container we are the parent of what left the group of its command, too.
  // Nobody else in the process has children.
  void reap_adopted() {
    siginfo_t end{};
    while (waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid > 0 &&
           !is_ours(end.si_pid)) {
      waitpid(end.si_pid, nullptr, 0);
      end = {};
    }
  }

  [[nodiscard]] bool is_ours(pid_t child) const {
    return child == guard_.pid() || std::ranges::any_of(running_, [child](const Running& one) {
             return one.command && one.command->group() == child;
           });
  }

  void end_stopped(std::list<Running>::iterator one) {
    give_up(one->run.fetched);
    end(one);
  }

  void end(std::list<Running>::iterator one) {
    one->command.reset();
    outgoing_.push_back(std::move(one->run));
    running_.erase(one);
  }

  const CommandOptions options_;
  Mailbox<Order>& orders_;
  Mailbox<Run>& done_;
  CommandGuard guard_;
  std::list<Running> running_;  // the oldest first
  std::vector<Run> outgoing_;
  std::vector<pollfd> items_;
  bool draining_ = false;
  bool cancelled_ = false;  // no command is started any more
  bool stopping_ = false;
};

CommandPool::CommandPool(CommandOptions options) try {
  auto loop = std::make_unique<Loop>(std::move(options), orders_, done_);
  thread_ = std::thread([loop = std::move(loop)] { loop->run(); });
} catch (const std::system_error& error) {
  throw CommandError(std::string("no command can be run here: ") + error.what());
}

CommandPool::~CommandPool() {
  orders_.push(Stop{});
  thread_.join();
}

void CommandPool::run(Fetched fetched, Instant now) {
  const std::size_t bytes = fetched.result.memory_bytes();
  held_bytes_ += bytes;
  begun_.insert(now);
  orders_.push(Run{.fetched = std::move(fetched), .held_bytes = bytes, .begun = now});
}

std::optional<Instant> CommandPool::oldest() const {
  if (begun_.empty()) return std::nullopt;
  return *begun_.begin();
}

void CommandPool::close(JobSlot job) { orders_.push(CloseJob{job}); }

void CommandPool::begin_drain() { orders_.push(Drain{}); }

void CommandPool::cancel() { orders_.push(Cancel{}); }

std::vector<Fetched> CommandPool::take_done() {
  std::vector<Fetched> all;
  for (Run& done : done_.take()) {
    begun_.erase(begun_.find(done.begun));
    held_bytes_ -= done.held_bytes;
    if (!done.is_closed) all.push_back(std::move(done.fetched));
  }
  return all;
}

}  // namespace fetchline
