#include "deploy/process/http_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "deploy/process/poll_timeout.h"

namespace fetchline {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{5};  // from accepting a connection to closing it
constexpr int kBacklog = 128;
constexpr milliseconds kPause{100};  // before accepting again when there is no room for it

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// Out of descriptors or memory: they are the job's first.
bool lacks_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

[[noreturn]] void fail(int error) { throw std::system_error(error, std::generic_category()); }

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// With no host "::" comes first where there is IPv6: it takes IPv4 too.
Addresses resolve(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  const bool everywhere = address.host.empty();
  if (everywhere) {
    hints.ai_family = AF_INET6;
    const Descriptor probe(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (probe.get() < 0) hints.ai_family = AF_INET;
  }
  addrinfo* found = nullptr;
  const int error = getaddrinfo(everywhere ? nullptr : address.host.c_str(), address.port.c_str(),
                                &hints, &found);
  if (error != 0) fail(error == EAI_SYSTEM ? errno : EADDRNOTAVAIL);
  return {found, freeaddrinfo};
}

Descriptor bound_to(const ListenAddress& address) {
  const Addresses found = resolve(address);
  Descriptor listener(
      socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (listener.get() < 0) fail(errno);
  const int on = 1, off = 0;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (found->ai_family == AF_INET6) {
    setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(listener.get(), found->ai_addr, found->ai_addrlen) != 0) fail(errno);
  return listener;
}

Descriptor listen_at(const ListenAddress& address) {
  Descriptor listener = bound_to(address);
  if (listen(listener.get(), kBacklog) != 0) fail(errno);
  return listener;
}

sockaddr_storage address_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) fail(errno);
  return address;
}

// One request. It is over when it is answered, broken, or out of time.
struct Connection {
  Descriptor socket;
  Clock::time_point due;
  std::string heard{};
  std::string to_say{};
  std::size_t said = 0;
  bool answered = false;
  bool over = false;
};

void hear(Connection& connection) {
  std::array<char, 4096> block;
  while (connection.heard.size() <= HttpRequest::kMostBytes) {
    const auto got = recv(connection.socket.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) connection.over = true;
    if (got <= 0) return;
    connection.heard.append(block.data(), static_cast<std::size_t>(got));
  }
}

// Closing with something unread would reset the connection, and the answer with it.
void discard_unread(Connection& connection) {
  std::array<char, 4096> block;
  ssize_t got = 1;
  for (int i = 0; i < 64 && got > 0; ++i) {
    got = recv(connection.socket.get(), block.data(), block.size(), 0);
  }
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) connection.over = true;
}

void say(Connection& connection) {
  while (connection.said < connection.to_say.size()) {
    const auto sent = send(connection.socket.get(), connection.to_say.data() + connection.said,
                           connection.to_say.size() - connection.said, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent <= 0) connection.over = true;
    if (sent <= 0) return;
    connection.said += static_cast<std::size_t>(sent);
  }
  shutdown(connection.socket.get(), SHUT_WR);
}

}  // namespace

class HttpServer::Loop {
 public:
  Loop(const ListenAddress& address, std::function<HttpAnswer(const std::string&)> answer)
      : answer_(std::move(answer)),
        listener_(listen_at(address)),
        ending_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        address_(address_of(listener_.get())) {
    if (ending_.get() < 0) fail(errno);
    thread_ = std::thread([this] { run(); });
  }
  ~Loop() {
    eventfd_write(ending_.get(), 1);
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] const sockaddr_storage& address() const { return address_; }

 private:
  void run() {
    std::vector<pollfd> items;
    auto now = Clock::now();
    while (true) {
      const short accepting = accepts(now) ? POLLIN : 0;
      items.assign({{ending_.get(), POLLIN, 0}, {listener_.get(), accepting, 0}});
      for (const Connection& connection : connections_) {
        const bool saying = connection.said < connection.to_say.size();
        items.push_back(
            {connection.socket.get(), static_cast<short>(saying ? POLLOUT : POLLIN), 0});
      }
      poll(items.data(), items.size(), poll_timeout(due(now), now));
      if (items[0].revents != 0) return;
      std::size_t at = 2;
      for (Connection& connection : connections_) {
        if (items[at++].revents != 0) serve(connection);
      }
      now = Clock::now();
      drop_ended(now);
      if (items[1].revents != 0) accept_all(now);
    }
  }

  [[nodiscard]] bool accepts(Clock::time_point now) const { return now >= accept_again_; }

  // When there is something to do though nobody says anything.
  [[nodiscard]] std::optional<Clock::time_point> due(Clock::time_point now) const {
    std::optional<Clock::time_point> due;
    if (!connections_.empty()) due = connections_.front().due;
    if (!accepts(now)) due = std::min(due.value_or(accept_again_), accept_again_);
    return due;
  }

  void serve(Connection& connection) {
    if (!connection.answered) {
      hear(connection);
      const auto request = parse_http_request(connection.heard);
      if (!request) return;
      answer(connection, *request);
    }
    if (connection.said < connection.to_say.size()) {
      say(connection);
    } else {
      discard_unread(connection);
    }
  }

  void answer(Connection& connection, const HttpRequest& request) {
    connection.answered = true;
    connection.over = false;  // who says no more may still listen
    HttpAnswer answer{.status = request.status, .body = "cannot be served\n"};
    if (request.status == 200) answer = answer_(request.path);
    connection.to_say = http_text(answer, request.head);
  }

  void drop_ended(Clock::time_point now) {
    connections_.remove_if(
        [&](const Connection& connection) { return connection.over || connection.due <= now; });
  }

  void accept_all(Clock::time_point now) {
    while (true) {
      Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.get() < 0) {
        if (lacks_room(errno)) accept_again_ = now + kPause;
        return;
      }
      if (connections_.size() >= kMostConnections) connections_.pop_front();
      connections_.push_back({.socket = std::move(socket), .due = now + kPatience});
    }
  }

  const std::function<HttpAnswer(const std::string&)> answer_;
  const Descriptor listener_, ending_;
  const sockaddr_storage address_;
  std::list<Connection> connections_;  // the oldest first; the thread's, as is accept_again_
  Clock::time_point accept_again_{};
  std::thread thread_;
};

HttpServer::HttpServer(const ListenAddress& address,
                       std::function<HttpAnswer(const std::string&)> answer)
    : loop_(std::make_unique<Loop>(address, std::move(answer))) {}
HttpServer::~HttpServer() = default;

void HttpServer::check(const ListenAddress& address) { (void)bound_to(address); }

std::uint16_t HttpServer::port() const {
  const sockaddr_storage& address = loop_->address();
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

bool HttpServer::is_loopback() const {
  const sockaddr_storage& address = loop_->address();
  if (address.ss_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  }
  const auto ip = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
  return (ip >> 24U) == IN_LOOPBACKNET;
}

}  // namespace fetchline
