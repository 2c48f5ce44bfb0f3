#include "worker/driver.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

#include "worker/plain_url.h"

namespace fetchline {
namespace {

constexpr std::size_t kMaxEventsPerTurn = 512;
constexpr std::size_t kTransfersPerShard = 128;  // measured: larger shards are slower, smaller
constexpr std::size_t kMaxShards = 64;           // ones lose connections and repeat CA stores

// Tags of what is no shard's.
constexpr std::uint32_t kWake = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kLookup = kWake - 1;

// With three silent name servers, as many as glibc asks, it takes 28 s to give up, and twice that
// when it tries a search domain as well. A module of nsswitch.conf that hangs may take for ever:
// others must not wait for that.
constexpr std::chrono::seconds kLongestLookup{60};

std::size_t shards_for(std::size_t transfers) {
  return std::clamp(transfers / kTransfersPerShard, std::size_t{1}, kMaxShards);
}

std::uint32_t tag_of(const epoll_event& event) {
  return static_cast<std::uint32_t>(event.data.u64 >> 32);
}

int socket_of(const epoll_event& event) { return static_cast<int>(event.data.u64 & 0xffffffffU); }

}  // namespace

Driver::Driver(std::size_t max_connections, WatchedSockets& sockets, NameGate& names, int wake_fd)
    : sockets_(sockets), names_(names) {
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
  names_.arrives(transfer.ticket());
  if (ready == CURLE_OK) {
    shard.add(transfer.easy());
  } else {
    shard.add_failed(transfer.easy(), ready);
  }
}

void Driver::resume(Transfer& transfer, bool is_head) {
  const CURLcode code = transfer.resume(is_head);
  if (code != CURLE_OK) transfer.multi()->fail(transfer.easy(), code);
}

void Driver::remove(Transfer& transfer) noexcept {
  if (transfer.multi() == nullptr) return;
  NameGate::Ticket& ticket = transfer.ticket();
  if (ticket.is_held() || ticket.looks_up()) names_.leave(ticket, leaves_behind(transfer));
  if (!transfer.is_parked()) transfer.multi()->remove(transfer.easy());
  transfer.set_parked(false);
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

void Driver::start_ready() {
  if (!names_.has_ready()) return;
  for (const NameGate::Ticket* ticket : names_.take_ready()) {
    Transfer& transfer = *ticket->transfer;
    transfer.set_parked(false);
    // Who looks up does so for the cache of its shard; the others go where there is room.
    if (!ticket->looks_up()) transfer.set_multi(&shard_for(transfer.url()));
    transfer.multi()->add(transfer.easy());
  }
}

void Driver::end_lookup(Transfer& transfer, CURLcode code) {
  NameGate::End end = NameGate::End::other;
  if (code == CURLE_COULDNT_RESOLVE_HOST) end = NameGate::End::failed;
  if (code == CURLE_OPERATION_TIMEDOUT) end = NameGate::End::timed_out;
  names_.ended(transfer.ticket(), end, leaves_behind(transfer), Multi::Clock::now());
}

// Should the thread have ended already, its end of the socket is closed: a turn from now that is
// known.
bool Driver::leaves_behind(Transfer& transfer) {
  FileDescriptor lookup = transfer.take_lookup();
  if (!lookup.is_open() || !sockets_.watch(lookup.get(), EPOLLIN, kLookup)) return false;
  left_behind_.push_back({std::move(lookup), Multi::Clock::now() + kLongestLookup});
  return true;
}

void Driver::forget_lookup(int socket) {
  sockets_.forget(socket);
  std::erase_if(left_behind_,
                [socket](const LeftBehind& left) { return left.lookup.get() == socket; });
  names_.thread_ended();
}

void Driver::forget_overdue(Multi::Clock::time_point now) {
  while (!left_behind_.empty() && left_behind_.front().until <= now) {
    forget_lookup(left_behind_.front().lookup.get());
  }
}

bool Driver::turn(std::chrono::milliseconds at_most) {
  start_ready();
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
    if (tag_of(event) == kLookup) forget_lookup(socket_of(event));
    // A socket that an earlier event of this turn closed is unknown to libcurl, or is a new one
    // with the same number; both take a call too many calmly.
    if (tag_of(event) < kLookup && event.events != 0) {
      shards_[tag_of(event)]->act(socket_of(event), event.events);
    }
  }
  const auto now = Multi::Clock::now();
  for (const auto& shard : shards_) shard->act_if_due(now);
  forget_overdue(now);
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
    while (const auto done = shards_[reaped_]->next_done()) {
      Transfer& transfer = Transfer::of(done->easy);
      if (transfer.ticket().is_held()) {
        transfer.set_parked(true);
        continue;
      }
      if (transfer.ticket().looks_up()) end_lookup(transfer, done->code);
      transfer.set_multi(nullptr);
      return Done{transfer, done->code};
    }
  }
  return std::nullopt;
}

}  // namespace fetchline
