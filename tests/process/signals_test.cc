#include "deploy/process/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

bool stops_within(const std::stop_token& token, std::chrono::seconds limit) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, token, limit, [] { return false; });
  return token.stop_requested();
}

TEST(StopSteps, TheFirstSignalDrainsAndASecondAfterASecondAborts) {
  const StopSteps::Clock::time_point start{};
  StopSteps steps;
  EXPECT_EQ(steps.on_signal(start), StopStep::drain);
  EXPECT_EQ(steps.on_signal(start + 10ms), StopStep::ignore);
  EXPECT_EQ(steps.on_signal(start + 999ms), StopStep::ignore);
  EXPECT_EQ(steps.on_signal(start + 1s), StopStep::abort);
}

TEST(SignalStop, ASignalToTheProcessRequestsTheDrainOnly) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const SignalStop stop;
    EXPECT_FALSE(stop.drain().stop_requested());
    kill(getpid(), signal);
    EXPECT_TRUE(stops_within(stop.drain(), 10s));
    EXPECT_TRUE(stop.interrupted());
    EXPECT_FALSE(stop.abort().stop_requested());
  }
}

TEST(SignalStop, ABrokenPipeDoesNotKill) {
  const SignalStop stop;
  raise(SIGPIPE);
  EXPECT_FALSE(stop.drain().stop_requested());
}

TEST(SignalStop, MainItselfMayAskAndThatIsNoInterruption) {
  SignalStop stop;
  stop.request_abort();
  EXPECT_TRUE(stop.drain().stop_requested());
  EXPECT_TRUE(stop.abort().stop_requested());
  EXPECT_FALSE(stop.interrupted());
}

}  // namespace
}  // namespace fetchline
