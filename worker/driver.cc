#include "worker/driver.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <stdexcept>

namespace fetchline {
namespace {

constexpr std::size_t kMaxEventsPerTurn = 512;
constexpr std::size_t kTransfersPerShard = 128;  // measured: larger shards are slower, smaller
constexpr std::size_t kMaxShards = 64;           // ones lose connections and repeat CA stores
constexpr std::uint32_t kWake = std::numeric_limits<std::uint32_t>::max();

std::size_t shards_for(std::size_t transfers) {
  return std::clamp(transfers / kTransfersPerShard, std::size_t{1}, kMaxShards);
}

std::uint32_t tag_of(const epoll_event& event) {
  return static_cast<std::uint32_t>(event.data.u64 >> 32);
}

int socket_of(const epoll_event& event) { return static_cast<int>(event.data.u64 & 0xffffffffU); }

}  // namespace

Driver::Driver(std::size_t max_connections, WatchedSockets& sockets, int wake_fd)
    : sockets_(sockets) {
  const std::size_t shards = shards_for(max_connections);
  const std::size_t share = max_connections / shards;
  roomy_ = share + share / 4;  // a quarter of slack: hosts never spread evenly
  for (std::uint32_t number = 0; number < shards; ++number) {
    shards_.push_back(std::make_unique<Multi>(std::max(share, std::size_t{1}), sockets_, number));
  }
  if (!sockets_.watch(wake_fd, EPOLLIN, kWake)) throw std::runtime_error("epoll takes no socket");
}

Driver::~Driver() = default;

void Driver::add(Transfer& transfer, std::string_view url, CURLcode ready) {
  Multi& shard = shard_for(url);
  transfer.set_multi(&shard);
  if (ready == CURLE_OK) {
    shard.add(transfer.easy());
  } else {
    shard.add_failed(transfer.easy(), ready);
  }
}

void Driver::remove(Transfer& transfer) noexcept {
  if (transfer.multi() == nullptr) return;
  transfer.multi()->remove(transfer.easy());
  transfer.set_multi(nullptr);
}

// The host's own shard, or the first after it with room.
Multi& Driver::shard_for(std::string_view url) {
  const std::size_t home = std::hash<std::string_view>{}(authority_of(url)) % shards_.size();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Multi& shard = *shards_[(home + i) % shards_.size()];
    if (shard.size() < roomy_) return shard;
  }
  return *shards_[home];
}

bool Driver::turn(std::chrono::milliseconds at_most) {
  std::array<epoll_event, kMaxEventsPerTurn> events;
  const int count = epoll_wait(sockets_.epoll(), events.data(), static_cast<int>(events.size()),
                               wait_ms(at_most));
  const std::span happened(events.data(), static_cast<std::size_t>(std::max(count, 0)));
  const bool woken = std::any_of(happened.begin(), happened.end(),
                                 [](const epoll_event& event) { return tag_of(event) == kWake; });
  // Before libcurl is called: it may close a socket, and open a busy one with the same number.
  for (epoll_event& event : happened) {
    if (!sockets_.is_idle(socket_of(event))) continue;
    shards_[tag_of(event)]->retire(socket_of(event));
    event.events = 0;
  }
  for (const epoll_event& event : happened) {
    // A socket that an earlier event of this turn closed is unknown to libcurl, or is a new one
    // with the same number; both take a call too many calmly.
    if (tag_of(event) != kWake && event.events != 0) {
      shards_[tag_of(event)]->act(socket_of(event), event.events);
    }
  }
  const auto now = Multi::Clock::now();
  for (const auto& shard : shards_) shard->act_if_due(now);
  reaped_ = 0;
  return woken;
}

int Driver::wait_ms(std::chrono::milliseconds at_most) const {
  const auto now = Multi::Clock::now();
  auto wait = at_most;
  for (const auto& shard : shards_) {
    const auto due = shard->due();
    if (!due) continue;
    if (*due <= now) return 0;
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*due - now));
  }
  return static_cast<int>(wait.count());
}

std::optional<Driver::Done> Driver::next_done() {
  for (; reaped_ < shards_.size(); ++reaped_) {
    if (const auto done = shards_[reaped_]->next_done()) {
      Transfer& transfer = Transfer::of(done->easy);
      transfer.set_multi(nullptr);
      return Done{transfer, done->code};
    }
  }
  return std::nullopt;
}

std::string_view authority_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end != std::string_view::npos) url.remove_prefix(scheme_end + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

}  // namespace fetchline
