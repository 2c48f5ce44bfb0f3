// Drives a fetcher's transfers: they go in, finished ones come out. One epoll, several libcurl
// multi handles.
//
// Several, because libcurl 7.88 walks lists as long as a multi handle has connections and names
// for every transfer: of 8000 at once each cost 233 us of CPU in a single handle, 36 us in 62.
// A host keeps to its shard as long as there is room in it, so that connections are found again.
//
// Owned by one fetcher, on its thread. The constructor throws std::runtime_error when libcurl
// cannot start.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "worker/multi.h"
#include "worker/name_gate.h"
#include "worker/transfer.h"

namespace fetchline {

class Driver {
 public:
  // Keeps up to about max_connections connections for reuse, and is made for so many transfers at
  // once; more are slower. A turn also ends when `wake_fd` becomes readable. The others outlive it.
  Driver(std::size_t max_connections, WatchedSockets& sockets, NameGate& names, int wake_fd);
  ~Driver();  // every transfer was removed or came out of next_done() before
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Starts a prepared transfer, which may wait for its name inside; when `ready` is not CURLE_OK it
  // comes out again with that. The transfer stays the caller's and leaves through next_done() or
  // remove().
  void add(Transfer& transfer, std::string_view url, CURLcode ready);
  void remove(Transfer& transfer) noexcept;       // nothing happens to one that is not inside
  void resume(Transfer& transfer, bool is_head);  // one that is paused: Transfer::resume()

  // Waits, at most so long, for sockets, timers or wake_fd, then lets libcurl work. True when
  // wake_fd is readable.
  [[nodiscard]] bool turn(std::chrono::milliseconds at_most);

  struct Done {
    Transfer& transfer;
    CURLcode code;
  };
  // All of them are to be taken before the next turn.
  [[nodiscard]] std::optional<Done> next_done();

 private:
  [[nodiscard]] Multi& shard_for(std::string_view url);
  [[nodiscard]] int wait_ms(std::chrono::milliseconds at_most) const;
  void start_ready();
  void end_lookup(Transfer& transfer, CURLcode code);
  [[nodiscard]] bool leaves_behind(Transfer& transfer);
  void forget_lookup(int socket);
  void forget_overdue(Multi::Clock::time_point now);

  // The thread of a lookup that nobody waits for: it ends when the system's resolver has done.
  struct LeftBehind {
    FileDescriptor lookup;
    Multi::Clock::time_point until;  // then it is forgotten, whatever it does
  };

  WatchedSockets& sockets_;
  NameGate& names_;
  std::size_t roomy_;  // transfers in a shard before its hosts overflow into the next
  std::vector<std::unique_ptr<Multi>> shards_;
  std::deque<LeftBehind> left_behind_;
  std::size_t reaped_ = 0;  // shards that next_done() has emptied since the last turn
};

}  // namespace fetchline
