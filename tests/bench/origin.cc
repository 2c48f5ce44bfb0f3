// bench-origin: the cheapest origin that still speaks HTTP, so that a benchmark measures the
// client.
//
// One thread, one epoll, one response made at the start; per request one read and one write, and
// nothing of it is parsed: what one read brings is one request, as benchmarks send them. Bound to
// every address, so all of 127/8 reaches it. Its only reader is a machine: it runs until killed.
//
//     bench-origin --port 8080 --size 1024 --delay 0.5 --sigma 0.3
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/bench/arguments.h"

namespace fetchline::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  std::uint16_t port = 0;
  std::size_t size_bytes = 0;
  Seconds delay{};   // the median when sigma is not 0
  double sigma = 0;  // of the logarithm of the delay; 0: all alike
  Seconds slow{};    // the delay of paths that begin with /s
};

Options options_of(const Arguments& arguments) {
  return {.port = arguments.number<std::uint16_t>("port"),
          .size_bytes = arguments.number<std::size_t>("size"),
          .delay = Seconds(arguments.number<double>("delay")),
          .sigma = arguments.number<double>("sigma"),
          .slow = Seconds(arguments.number<double>("slow"))};
}

std::string response_of(std::size_t body_bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int listening_socket(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("bind");
  }
  if (listen(listener, 16'384) != 0) fail("listen");
  return listener;
}

class Origin {
 public:
  explicit Origin(const Options& options)
      : options_(options),
        response_(response_of(options.size_bytes)),
        listener_(listening_socket(options.port)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) fail("epoll_create1");
    watch(listener_);
  }

  void run() {
    while (true) {
      const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                                   waiting_.empty() ? -1 : wait_ms());
      for (int i = 0; i < count; ++i) {
        const int fd = events_[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : read_request(fd);
      }
      if (!waiting_.empty()) answer_due();
    }
  }

 private:
  struct Waiting {
    Clock::time_point due;
    int fd = -1;
    std::uint32_t connection = 0;  // the number of the descriptor's owner then
    bool operator>(const Waiting& other) const { return due > other.due; }
  };

  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  void accept_all() {
    // Blocking sockets: a large response is written in one call however slowly it is read.
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const auto number = static_cast<std::size_t>(fd);
      if (number >= connections_.size()) connections_.resize(number + 1024);
      watch(fd);
    }
  }

  void read_request(int fd) {
    std::array<char, 4096> bytes;
    const ssize_t count = read(fd, bytes.data(), bytes.size());
    if (count <= 0) {
      ++connections_[static_cast<std::size_t>(fd)];
      close(fd);
      return;
    }
    const std::string_view request(bytes.data(), static_cast<std::size_t>(count));
    const bool is_slow = request.starts_with("GET /s");
    if (options_.delay.count() <= 0 && !is_slow) return answer(fd);
    const auto delay =
        std::chrono::duration_cast<Clock::duration>(is_slow ? options_.slow : draw());
    waiting_.push({Clock::now() + delay, fd, connections_[static_cast<std::size_t>(fd)]});
  }

  Seconds draw() {
    if (options_.sigma <= 0) return options_.delay;
    return options_.delay * std::exp(options_.sigma * normal_(random_));
  }

  void answer(int fd) const {
    // Who went away meanwhile is noticed by the next read.
    (void)!send(fd, response_.data(), response_.size(), MSG_NOSIGNAL);
  }

  void answer_due() {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.top().due <= now) {
      const Waiting first = waiting_.top();
      waiting_.pop();
      if (connections_[static_cast<std::size_t>(first.fd)] == first.connection) answer(first.fd);
    }
  }

  [[nodiscard]] int wait_ms() const {
    const auto left = waiting_.top().due - Clock::now();
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::max<std::int64_t>(ms, 0));
  }

  const Options options_;
  const std::string response_;
  const int listener_;
  const int epoll_;
  std::array<epoll_event, 512> events_{};
  std::vector<std::uint32_t> connections_ = std::vector<std::uint32_t>(1024);  // by descriptor
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  std::mt19937_64 random_{1};  // the same delays in every run
  std::normal_distribution<double> normal_;
};

}  // namespace
}  // namespace fetchline::bench

int main(int argc, char** argv) {
  using namespace fetchline::bench;
  try {
    const Arguments arguments(
        argc, argv,
        {{"port", "8080"}, {"size", "1024"}, {"delay", "0"}, {"sigma", "0"}, {"slow", "1"}});
    Origin(options_of(arguments)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-origin: %s\n", error.what());
    return 1;
  }
}
