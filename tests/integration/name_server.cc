#include "tests/integration/name_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace fetchline {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr char kTypeA = 1;

// For this thread and those it starts.
bool put_over(const char* file, std::string_view text) {
  std::string path = "/tmp/fetchline-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) return false;
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  const bool mounted = written && mount(path.c_str(), file, nullptr, MS_BIND, nullptr) == 0;
  unlink(path.c_str());
  return mounted;
}

bool bring_loopback_up() {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{.ifr_ifrn = {"lo"}, .ifr_ifru = {}};
  request.ifr_flags = IFF_UP;
  const bool is_up = ioctl(any, SIOCSIFFLAGS, &request) == 0;
  close(any);
  return is_up;
}

// Containers allow some of it, or nothing.
bool has_own_network() {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return false;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return put_over("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n") &&
         put_over("/etc/nsswitch.conf", "hosts: dns\n") && bring_loopback_up();
}

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* any_of(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Where the question ends: after its name, type and class.
std::size_t end_of_question(const std::string& packet) {
  std::size_t at = kHeaderBytes;
  while (at < packet.size() && packet[at] != 0) at += static_cast<unsigned char>(packet[at]) + 1U;
  return at + 5;
}

std::string name_in(const std::string& packet) {
  std::string name;
  for (std::size_t at = kHeaderBytes; at < packet.size() && packet[at] != 0;) {
    const auto length = static_cast<unsigned char>(packet[at]);
    name += (name.empty() ? "" : ".") + packet.substr(at + 1, length);
    at += length + 1U;
  }
  return name;
}

bool asks_for_ipv4(const std::string& packet) {
  return packet[end_of_question(packet) - 3] == kTypeA;
}

std::string reply_to(const std::string& packet) {
  const bool exists = !name_in(packet).starts_with("no-");
  const bool has_address = exists && asks_for_ipv4(packet);
  std::string reply = packet.substr(0, end_of_question(packet));
  reply[2] = '\x81';
  reply[3] = exists ? '\x80' : '\x83';
  reply[7] = has_address ? 1 : 0;
  reply[11] = 0;
  if (has_address) {
    constexpr std::array<char, 16> kLocalhost = {'\xc0', 12, 0, kTypeA, 0,   1, 0, 0,
                                                 0,      60, 0, 4,      127, 0, 0, 1};
    reply.append(kLocalhost.begin(), kLocalhost.end());
  }
  return reply;
}

}  // namespace

bool in_own_network(const std::function<void()>& test) {
  bool runs = false;
  std::thread([&test, &runs] {
    runs = has_own_network();
    if (runs) test();
  }).join();
  return runs;
}

NameServer::NameServer() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = local(53);
  if (bind(socket_, any_of(address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind");
  }
  thread_ = std::thread([this] { run(); });
}

NameServer::~NameServer() {
  ends_ = true;
  const sockaddr_in self = local(53);
  sendto(socket_, "", 0, 0, any_of(self), sizeof self);
  thread_.join();
  close(socket_);
}

void NameServer::run() {
  while (!ends_) {
    Question question{.packet = std::string(512, '\0'), .from = {}};
    socklen_t length = sizeof question.from;
    const ssize_t size = recvfrom(socket_, question.packet.data(), question.packet.size(), 0,
                                  reinterpret_cast<sockaddr*>(&question.from), &length);
    if (size < static_cast<ssize_t>(kHeaderBytes)) continue;
    question.packet.resize(static_cast<std::size_t>(size));
    take(question);
  }
}

void NameServer::take(const Question& question) {
  const std::lock_guard lock(mutex_);
  if (asks_for_ipv4(question.packet)) ++asked_[name_in(question.packet)];
  if (answers_) return reply(question);
  unanswered_.push_back(question);
}

void NameServer::reply(const Question& question) const {
  const std::string reply = reply_to(question.packet);
  sendto(socket_, reply.data(), reply.size(), 0, any_of(question.from), sizeof question.from);
}

void NameServer::answer() {
  const std::lock_guard lock(mutex_);
  answers_ = true;
  for (const Question& question : unanswered_) reply(question);
  unanswered_.clear();
}

std::size_t NameServer::asked(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return asked_[name];
}

std::size_t NameServer::names_asked() {
  const std::lock_guard lock(mutex_);
  return asked_.size();
}

}  // namespace fetchline
