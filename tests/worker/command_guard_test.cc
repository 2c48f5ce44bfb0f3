#include "worker/command_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "worker/spawn.h"

namespace fetchline {
namespace {

// How it ended: the signal, 0 for none.
int end_of(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void tell(const CommandGuard& guard, const std::string& line) {
  EXPECT_EQ(write(guard.fd(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
}

TEST(CommandGuard, KillsTheGroupsThatAreLeftWhenItsPipeEnds) {
  PipeEnds block = open_pipe();
  const auto start = [&] { return spawn_shell("read -r line", {}, {block.read.get(), 1, 2}); };
  const pid_t left = start(), forgotten = start(), also_left = start();
  {
    CommandGuard guard;
    guard.forget(left);  // killed before it could enter itself, would this mean
    for (const pid_t pid : {left, forgotten, also_left})
      tell(guard, "+ " + std::to_string(pid) + "\n");
    guard.forget(999'999'999);
    guard.forget(forgotten);
  }
  EXPECT_EQ(end_of(left), SIGKILL);
  EXPECT_EQ(end_of(also_left), SIGKILL);
  block.write = FileDescriptor();
  EXPECT_EQ(end_of(forgotten), 0) << "it read to the end of its input";
}

TEST(CommandGuard, IsNotStoppedBeforeItsWorker) {
  const CommandGuard guard;
  const auto ignored = [&] {
    std::ifstream status("/proc/" + std::to_string(guard.pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigIgn:")) return std::stoull(line.substr(8), nullptr, 16);
    }
    return 0ULL;
  };
  constexpr unsigned long long kStops =
      1ULL << (SIGHUP - 1) | 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while ((ignored() & kStops) != kStops && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(ignored() & kStops, kStops);
}

TEST(CommandGuard, IsReplacedWhenSomebodyKillsIt) {
  PipeEnds block = open_pipe();
  const pid_t left = spawn_shell("read -r line", {}, {block.read.get(), 1, 2});
  {
    CommandGuard guard;
    EXPECT_FALSE(guard.revive());
    kill(guard.pid(), SIGKILL);
    siginfo_t end{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(guard.pid()), &end, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(guard.revive());
    guard.enter(left);
  }
  EXPECT_EQ(end_of(left), SIGKILL);
}

}  // namespace
}  // namespace fetchline
