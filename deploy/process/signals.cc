#include "deploy/process/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace fetchline {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// Else the next files opened, ours, would be stdin, stdout or stderr to the rest of the program.
// Opened the wrong way round, so that using them is an error and not silence.
void occupy_closed_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int lowest =
        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free one: fd
  }
}

}  // namespace

StopStep StopSteps::on_signal(Clock::time_point now) {
  if (!first_) {
    first_ = now;
    return StopStep::drain;
  }
  return now - *first_ >= kSecondCounts ? StopStep::abort : StopStep::ignore;
}

SignalStop::SignalStop() {
  occupy_closed_standard_descriptors();
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // both become errors of a write
  std::signal(SIGXFSZ, SIG_IGN);
  signals_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  if (end_fd_ < 0) {
    close(signals_fd_);
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  thread_ = std::thread([this] { wait_for_signals(); });
}

SignalStop::~SignalStop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(end_fd_, &one, sizeof one);
  thread_.join();
  close(end_fd_);
  close(signals_fd_);
}

void SignalStop::request_abort() {
  drain_.request_stop();
  abort_.request_stop();
}

void SignalStop::wait_for_signals() {
  std::array<pollfd, 2> waits{{{signals_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}}};
  while (true) {
    if (poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) continue;
    if (waits[1].revents != 0) return;
    signalfd_siginfo signal{};
    while (read(signals_fd_, &signal, sizeof signal) == sizeof signal) on_signal();
  }
}

void SignalStop::on_signal() {
  const StopStep step = steps_.on_signal(StopSteps::Clock::now());
  if (step == StopStep::ignore) return;
  interrupted_ = true;
  if (step == StopStep::abort) return request_abort();
  drain_.request_stop();
}

}  // namespace fetchline
