#include "tests/origin/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "proto/wakeup.h"
#include "tests/origin/script.h"

namespace fetchline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kMaxWait{1000};

struct Connection {
  enum class State { reading, waiting, sending };

  int fd = -1;
  std::uint64_t serial = 0;  // a descriptor is used again, this is not
  State state = State::reading;
  std::string input;
  bool told_to_continue = false;
  OriginAnswer answer;
  std::string output;
  std::size_t sent = 0;     // of output
  std::size_t dripped = 0;  // of answer.body
  bool watches_output = false;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::size_t content_length(const std::string& lower_head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const std::size_t at = lower_head.find(kName);
  if (at == std::string::npos) return 0;
  const std::size_t digits = lower_head.find_first_not_of(' ', at + kName.size());
  std::size_t length = 0;
  if (digits != std::string::npos) {
    std::from_chars(lower_head.data() + digits, lower_head.data() + lower_head.size(), length);
  }
  return length;
}

int listen_on(std::uint16_t port, const std::string& host) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = inet_addr(host.c_str());
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, kBacklog) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    throw std::system_error(error, std::generic_category(), "origin: cannot listen");
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

class Origin::Loop {
 public:
  Loop(std::uint16_t port, const std::string& host)
      : listener_(listen_on(port, host)), port_(port_of(listener_)), epoll_fd_(epoll_create1(0)) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    watch(wakeup_.fd(), EPOLLIN, EPOLL_CTL_ADD);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  ~Loop() {
    thread_.request_stop();
    wakeup_.notify();
    thread_.join();
    for (const auto& [fd, connection] : connections_) close(fd);
    close(epoll_fd_);
    close(listener_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] std::size_t requests(std::string_view target) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_target_.find(target);
    return found == by_target_.end() ? 0 : found->second;
  }

  std::atomic<std::size_t> requests_{0}, accepted_{0}, open_{0}, max_simultaneous_{0};

 private:
  void run(const std::stop_token& stop) {
    std::array<epoll_event, 512> events;
    while (!stop.stop_requested()) {
      const int count =
          epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < count; ++i) dispatch(events[static_cast<std::size_t>(i)]);
      fire_timers();
    }
  }

  void dispatch(const epoll_event& event) {
    if (event.data.fd == wakeup_.fd()) return;
    if (event.data.fd == listener_) return accept_all();
    const auto found = connections_.find(event.data.fd);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    if ((event.events & EPOLLOUT) != 0 && !flush(connection)) return;
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(connection);
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      Connection& connection = connections_[fd];
      connection.fd = fd;
      connection.serial = ++last_serial_;
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
      ++accepted_;
      ++open_;
    }
  }

  void receive(Connection& connection) {
    std::array<char, 16 * 1024> bytes;
    for (;;) {
      const ssize_t count = recv(connection.fd, bytes.data(), bytes.size(), 0);
      if (count > 0) {
        connection.input.append(bytes.data(), static_cast<std::size_t>(count));
        continue;
      }
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (count < 0 && errno == EINTR) continue;
      return drop(connection);
    }
    take_request(connection);
  }

  // One request at a time: the next, if it is there already, when this one is answered.
  void take_request(Connection& connection) {
    if (connection.state != Connection::State::reading) return;
    std::string& input = connection.input;
    if (!input.empty() && (input.front() < 'A' || input.front() > 'Z')) return refuse(connection);
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    const std::string head = lower(input.substr(0, head_end + 2));
    const std::size_t whole = head_end + 4 + content_length(head);
    if (input.size() < whole) return tell_to_continue(connection, head);

    OriginRequest request;
    request.head = input.substr(0, head_end + 2);
    request.body = input.substr(head_end + 4, whole - head_end - 4);
    const std::size_t first = std::min(request.head.find(' '), request.head.size());
    request.method = request.head.substr(0, first);
    const std::size_t second = request.head.find(' ', first + 1);
    if (second == std::string::npos) return drop(connection);
    request.target = request.head.substr(first + 1, second - first - 1);
    input.erase(0, whole);
    begin_answer(connection, request);
  }

  // Mostly a TLS handshake: an answer in clear text ends it at once.
  void refuse(Connection& connection) {
    connection.input.clear();
    connection.state = Connection::State::sending;
    ++simultaneous_;
    connection.answer = {};
    connection.answer.ending = OriginAnswer::Ending::close;
    connection.output += "HTTP/1.1 400 Not HTTP\r\nConnection: close\r\n\r\n";
    static_cast<void>(flush(connection));
  }

  void tell_to_continue(Connection& connection, const std::string& lower_head) {
    if (connection.told_to_continue ||
        lower_head.find("\r\nexpect: 100-continue") == std::string::npos) {
      return;
    }
    connection.told_to_continue = true;
    connection.output += "HTTP/1.1 100 Continue\r\n\r\n";
    static_cast<void>(flush(connection));
  }

  void begin_answer(Connection& connection, const OriginRequest& request) {
    connection.told_to_continue = false;
    connection.state = Connection::State::waiting;
    connection.answer = answer_to(request, count(request.target));
    connection.dripped = 0;
    max_simultaneous_ = std::max(max_simultaneous_.load(), ++simultaneous_);
    if (connection.answer.hangs) return;
    if (connection.answer.delay.count() > 0) return wake_later(connection, connection.answer.delay);
    proceed(connection);
  }

  std::size_t count(const std::string& target) {
    ++requests_;
    const std::lock_guard lock(mutex_);
    return ++by_target_[target];
  }

  // The delay is over, or the time between two dripped bytes.
  void proceed(Connection& connection) {
    OriginAnswer& answer = connection.answer;
    if (connection.state == Connection::State::waiting) {
      connection.state = Connection::State::sending;
      connection.output += answer.head;
      if (answer.drip.count() == 0) connection.output += answer.body;
    } else if (connection.dripped < answer.body.size()) {
      connection.output += answer.body[connection.dripped++];
    }
    static_cast<void>(flush(connection));
  }

  // False: the connection is no more.
  bool flush(Connection& connection) {
    while (connection.sent < connection.output.size()) {
      const ssize_t count = send(connection.fd, connection.output.data() + connection.sent,
                                 connection.output.size() - connection.sent, MSG_NOSIGNAL);
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        watch_output(connection, true);
        return true;
      }
      if (count < 0) {
        drop(connection);
        return false;
      }
      connection.sent += static_cast<std::size_t>(count);
    }
    connection.output.clear();
    connection.sent = 0;
    watch_output(connection, false);
    return connection.state != Connection::State::sending || after_sending(connection);
  }

  bool after_sending(Connection& connection) {
    const OriginAnswer& answer = connection.answer;
    if (answer.drip.count() > 0 && connection.dripped < answer.body.size()) {
      wake_later(connection, answer.drip);
      return true;
    }
    if (answer.ending != OriginAnswer::Ending::keep_alive) {
      if (answer.ending == OriginAnswer::Ending::reset) reset_on_close(connection);
      drop(connection);
      return false;
    }
    connection.state = Connection::State::reading;
    --simultaneous_;
    const std::uint64_t serial = connection.serial;
    const int fd = connection.fd;
    take_request(connection);
    const auto found = connections_.find(fd);
    return found != connections_.end() && found->second.serial == serial;
  }

  static void reset_on_close(const Connection& connection) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  void drop(Connection& connection) {
    if (connection.state != Connection::State::reading) --simultaneous_;
    --open_;
    const int fd = connection.fd;
    close(fd);
    connections_.erase(fd);
  }

  void watch(int fd, std::uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_fd_, operation, fd, &event);
  }

  void watch_output(Connection& connection, bool wanted) const {
    if (connection.watches_output == wanted) return;
    connection.watches_output = wanted;
    watch(connection.fd, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  struct Timer {
    int fd;
    std::uint64_t serial;
  };

  void wake_later(const Connection& connection, std::chrono::milliseconds delay) {
    timers_.emplace(Clock::now() + delay, Timer{connection.fd, connection.serial});
  }

  [[nodiscard]] int wait_ms() const {
    if (timers_.empty()) return static_cast<int>(kMaxWait.count());
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, kMaxWait).count());
  }

  void fire_timers() {
    const Clock::time_point now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      const Timer timer = timers_.begin()->second;
      timers_.erase(timers_.begin());
      const auto found = connections_.find(timer.fd);
      if (found != connections_.end() && found->second.serial == timer.serial) {
        proceed(found->second);
      }
    }
  }

  Wakeup wakeup_;
  const int listener_;
  const std::uint16_t port_;
  const int epoll_fd_;

  // The thread's.
  std::unordered_map<int, Connection> connections_;
  std::multimap<Clock::time_point, Timer> timers_;
  std::uint64_t last_serial_ = 0;
  std::size_t simultaneous_ = 0;

  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> by_target_;  // guarded by mutex_

  std::jthread thread_;  // last: everything above is there when it starts
};

Origin::Origin(std::uint16_t port, std::string address)
    : address_(std::move(address)), loop_(std::make_unique<Loop>(port, address_)) {}

Origin::~Origin() = default;

std::uint16_t Origin::port() const { return loop_->port(); }

std::string Origin::url(std::string_view target) const {
  return "http://" + address_ + ":" + std::to_string(port()) + std::string(target);
}

std::size_t Origin::requests() const { return loop_->requests_; }

std::size_t Origin::requests(std::string_view target) const { return loop_->requests(target); }

std::size_t Origin::connections() const { return loop_->accepted_; }

std::size_t Origin::open_connections() const { return loop_->open_; }

std::size_t Origin::max_simultaneous() const { return loop_->max_simultaneous_; }

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string target;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    target += '%';
    target += kDigits[byte >> 4U];
    target += kDigits[byte & 15U];
  }
  return target;
}

}  // namespace fetchline
