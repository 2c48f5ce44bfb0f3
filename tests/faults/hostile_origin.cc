#include "tests/faults/hostile_origin.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{5};  // of good requests that wait for one another

int listen_on_loopback() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 64) != 0) {
    throw std::runtime_error("hostile origin: cannot listen");
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;

TlsContext context_for(const Identity& identity) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  const std::unique_ptr<BIO, FreeTls> certificate_text(
      BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size())));
  const std::unique_ptr<BIO, FreeTls> key_text(
      BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size())));
  const std::unique_ptr<X509, FreeTls> certificate(
      PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_PKEY, FreeTls> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    throw std::runtime_error("hostile origin: no use for the certificate");
  }
  return context;
}

class Connection : public Wire {
 public:
  Connection(int fd, SSL_CTX* context) : fd_(fd) {
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (context == nullptr) return;
    tls_.reset(SSL_new(context));
    SSL_set_fd(tls_.get(), fd_);
  }
  ~Connection() override {
    tls_.reset();
    ::close(fd_);
  }

  bool greet() { return !tls_ || SSL_accept(tls_.get()) == 1; }
  void interrupt() const { shutdown(fd_, SHUT_RDWR); }  // any thread

  // The target of the next request, empty when there is none.
  std::string next_target() {
    std::size_t end = input_.find("\r\n\r\n");
    for (; end == std::string::npos; end = input_.find("\r\n\r\n")) {
      std::array<char, 4096> bytes;
      const auto got = ended_ ? 0 : receive(bytes);
      if (got <= 0) return {};
      input_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    const std::size_t from = input_.find(' ') + 1;
    std::string target = input_.substr(from, input_.find(' ', from) - from);
    input_.erase(0, end + 4);
    return target;
  }

  bool say(std::string_view bytes) override {
    while (!bytes.empty() && !ended_) {
      const auto sent = send_some(bytes);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return !ended_;
  }

  bool pause(milliseconds time) override {
    pollfd gone{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    return poll(&gone, 1, static_cast<int>(time.count())) == 0;
  }

  void close() override {
    if (tls_) SSL_shutdown(tls_.get());
    cut();
  }

  void cut() override {
    interrupt();
    ended_ = true;
  }

  void reset() override {  // takes effect when the descriptor is closed
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ended_ = true;
  }

 private:
  ssize_t receive(std::array<char, 4096>& bytes) {
    if (tls_) return SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return recv(fd_, bytes.data(), bytes.size(), 0);
  }

  ssize_t send_some(std::string_view bytes) {
    if (tls_) return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  const int fd_;
  std::unique_ptr<SSL, FreeTls> tls_;
  std::string input_;
  bool ended_ = false;
};

}  // namespace

void Wire::hang() {
  while (pause(milliseconds(1000))) {
  }
}

class HostileOrigin::Stage {
 public:
  Stage(Act act, std::size_t together, const std::optional<Identity>& identity)
      : act_(std::move(act)), together_(together), listener_(listen_on_loopback()) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (identity) context_ = context_for(*identity);
    thread_ = std::jthread([this] { accept_all(); });
  }

  ~Stage() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      for (const Connection* connection : open_) connection->interrupt();
    }
    arrived_.notify_all();
    connections_.clear();  // joins them
    close(listener_);
  }

  [[nodiscard]] int listener() const { return listener_; }
  [[nodiscard]] bool has_tls() const { return context_ != nullptr; }
  std::atomic<std::size_t> acts_{0}, accepted_{0};

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++accepted_;
      connections_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    Connection connection(fd, context_.get());
    const auto place = enter(connection);
    if (connection.greet()) answer_all(connection);
    const std::lock_guard lock(mutex_);
    open_.erase(place);
  }

  std::list<const Connection*>::iterator enter(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    if (ending_) connection.interrupt();
    return open_.insert(open_.end(), &connection);
  }

  void answer_all(Connection& connection) {
    for (auto target = connection.next_target(); !target.empty();
         target = connection.next_target()) {
      if (target == "/bad") {
        ++acts_;
        act_(connection);
        --acts_;
      } else {
        answer_well(connection, target);
      }
    }
  }

  void answer_well(Connection& connection, const std::string& target) {
    const bool all_here = wait_for_the_others();
    const std::string body = good_body(target);
    connection.say(std::string("HTTP/1.1 ") + (all_here ? "200 OK" : "500 Alone") +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  bool wait_for_the_others() {
    std::unique_lock lock(mutex_);
    const std::size_t party = here_++ / together_;
    arrived_.notify_all();
    return arrived_.wait_for(lock, kPatience,
                             [&] { return ending_ || here_ >= (party + 1) * together_; });
  }

  const Act act_;
  const std::size_t together_;
  const int listener_;
  TlsContext context_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::size_t here_ = 0;  // good requests so far; guarded by mutex_, as what follows
  bool ending_ = false;
  std::list<const Connection*> open_;
  std::list<std::jthread> connections_;  // of thread_
  std::jthread thread_;                  // last: everything above is there when it starts
};

HostileOrigin::HostileOrigin(Act act, std::size_t together, std::optional<Identity> identity)
    : stage_(std::make_unique<Stage>(std::move(act), together, identity)) {}

HostileOrigin::~HostileOrigin() = default;

std::uint16_t HostileOrigin::port() const { return port_of(stage_->listener()); }

std::string HostileOrigin::url(std::string_view target) const {
  return (stage_->has_tls() ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port()) +
         std::string(target);
}

std::size_t HostileOrigin::connections() const { return stage_->accepted_; }

std::size_t HostileOrigin::acts_under_way() const { return stage_->acts_; }

std::string HostileOrigin::good_body(std::string_view target) {
  return "the body of " + std::string(target);
}

SilentPort::SilentPort() : fd_(listen_on_loopback()) {}
SilentPort::~SilentPort() { close(fd_); }
std::uint16_t SilentPort::port() const { return port_of(fd_); }

}  // namespace fetchline
