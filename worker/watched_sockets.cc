#include "worker/watched_sockets.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace fetchline {

WatchedSockets::WatchedSockets() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

WatchedSockets::~WatchedSockets() { close(epoll_); }

WatchedSockets::Known& WatchedSockets::known(int socket) {
  const auto at = static_cast<std::size_t>(socket);
  if (at >= known_.size()) known_.resize(at + 1);
  return known_[at];
}

void WatchedSockets::opened(int connection) { known(connection) = {.connection = true}; }

void WatchedSockets::closing(int connection) { known(connection) = {}; }

// What is not known to be there may be all the same.
bool WatchedSockets::watch(int socket, std::uint32_t events, std::uint32_t tag) {
  Known& now = known(socket);
  now.idle = false;
  if (now.connection && now.events == events && now.tag == tag) return true;
  epoll_event event{};
  event.events = events;
  event.data.u64 = (std::uint64_t{tag} << 32) | static_cast<std::uint32_t>(socket);
  const bool watched = epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) == 0 ||
                       epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
  now.events = watched ? events : 0;
  now.tag = tag;
  return watched;
}

void WatchedSockets::forget(int socket) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  known(socket).events = 0;
  known(socket).idle = false;
}

void WatchedSockets::watch_idle(int socket, std::uint32_t tag) {
  if (!known(socket).connection) return forget(socket);
  watch(socket, EPOLLIN, tag);
  known(socket).idle = true;
}

bool WatchedSockets::is_idle(int socket) const {
  const auto at = static_cast<std::size_t>(socket);
  return at < known_.size() && known_[at].idle;
}

bool WatchedSockets::is_connection(int socket) const {
  const auto at = static_cast<std::size_t>(socket);
  return at < known_.size() && known_[at].connection;
}

}  // namespace fetchline
