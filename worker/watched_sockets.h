// The sockets of a fetcher as its epoll knows them. Of connections, whose beginning and end are
// told here, epoll is told only what changes: one that is used again and again, for requests
// without a body, changes nothing. Of others, as those of libcurl's resolver, it is told all.
//
// Owned by one fetcher, on its thread; outlives its shards. The constructor throws
// std::system_error.
#pragma once

#include <cstdint>
#include <vector>

namespace fetchline {

class WatchedSockets {
 public:
  WatchedSockets();
  ~WatchedSockets();
  WatchedSockets(const WatchedSockets&) = delete;
  WatchedSockets& operator=(const WatchedSockets&) = delete;

  void opened(int connection);
  void closing(int connection);  // before it is: its number may be another's a moment later

  // `tag` comes back in the upper half of the event's u64, the socket in the lower one. False:
  // epoll cannot.
  bool watch(int socket, std::uint32_t events, std::uint32_t tag);
  void forget(int socket);
  // A connection of which nothing was asked is watched for reading; anything else is forgotten.
  void watch_idle(int socket, std::uint32_t tag);
  [[nodiscard]] bool is_idle(int socket) const;
  [[nodiscard]] bool is_connection(int socket) const;

  [[nodiscard]] int epoll() const { return epoll_; }

 private:
  struct Known {
    bool connection = false;
    bool idle = false;
    std::uint32_t events = 0;  // 0: not known to be in epoll
    std::uint32_t tag = 0;
  };
  [[nodiscard]] Known& known(int socket);

  const int epoll_;
  std::vector<Known> known_;  // by socket
};

}  // namespace fetchline
