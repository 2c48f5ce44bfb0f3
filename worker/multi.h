// One libcurl multi handle driven by epoll: a shard of a Driver's transfers and connections.
//
// curl_multi_socket_action, not curl_multi_perform: the latter looks at every transfer on every
// turn. Owned by a Driver, on its thread. Throws std::runtime_error from the constructor when
// libcurl refuses; later failures come out as finished transfers.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "worker/watched_sockets.h"

namespace fetchline {

class Multi {
 public:
  using Clock = std::chrono::steady_clock;

  // Keeps up to max_connections connections for reuse. Its sockets are watched by `sockets`, which
  // outlives it, with `number` as tag. Every handle is a Transfer's.
  Multi(std::size_t max_connections, WatchedSockets& sockets, std::uint32_t number);
  ~Multi();  // every handle was removed or came out of next_done() before
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  // The handle stays the caller's. It leaves through next_done() or remove().
  void add(CURL* easy);
  void add_failed(CURL* easy, CURLcode code);  // comes out without having run
  void fail(CURL* easy, CURLcode code);        // ends one that runs: it comes out with that
  void remove(CURL* easy) noexcept;            // ends the transfer if it still runs

  void act(int socket, std::uint32_t epoll_events);
  // An idle HTTP/1 connection had something to say. Nothing was asked: it is the end, or the rest
  // of an answer that was longer than it said, which libcurl 7.88 takes for the next one.
  void retire(int socket);
  void act_if_due(Clock::time_point now);
  // When it wants act_if_due(), should no socket event come first.
  [[nodiscard]] std::optional<Clock::time_point> due() const;

  struct Done {
    CURL* easy;
    CURLcode code;
  };
  [[nodiscard]] std::optional<Done> next_done();

  [[nodiscard]] std::size_t size() const { return size_; }  // handles inside
  [[nodiscard]] std::uint32_t number() const { return number_; }

 private:
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  CURLM* multi_;
  WatchedSockets& sockets_;
  std::uint32_t number_;
  std::size_t size_ = 0;
  std::optional<Clock::time_point> due_;
  std::vector<Done> failed_;  // out of next_done() without a word of libcurl
};

}  // namespace fetchline
