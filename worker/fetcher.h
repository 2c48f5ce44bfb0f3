// A fetcher: one thread, one epoll and libcurl. It runs transfers and nothing else; what to run,
// retry and report is decided by the relay, which talks to it through mailboxes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "proto/result.h"
#include "proto/task.h"
#include "worker/address_policy.h"
#include "worker/body_budget.h"
#include "worker/job_slot.h"
#include "worker/mailbox.h"

namespace fetchline {

// Relay to fetcher.
struct OpenJob {
  JobSlot job{};
  JobSettings settings;
};
struct CloseJob {  // cancels its transfers silently: no Fetched comes for them
  JobSlot job{};
};
struct Fetch {  // its job is open
  JobSlot job{};
  Task task;
};
struct CancelTransfers {};  // every transfer ends now with outcome `cancelled`
struct StopFetching {};     // cancel silently and return from run()
using FetchCommand = std::variant<OpenJob, CloseJob, Fetch, CancelTransfers, StopFetching>;

// Fetcher to relay: exactly one for every Fetch, unless its job was closed meanwhile.
struct Fetched {
  JobSlot job{};
  Result result;
  bool transient = false;  // another attempt may do better and may be made (see worker/outcome.h)
  bool repeatable = true;  // another attempt may be made, whatever it would do
  std::optional<std::chrono::milliseconds> retry_after;  // what the origin asked for
};

struct FetcherOptions {
  std::string worker_name;           // "host:pid", for the records
  std::size_t max_connections = 64;  // kept between transfers; also how many to be fast for
  AddressPolicy allow_net = AddressPolicy();  // whom to speak to
  std::size_t receive_bytes = 16 * 1024;      // see TransferBounds
  // A transfer that was paused first so long ago and is again while results take the memory is
  // cancelled, if it may be repeated: it would time out, or its origin would not wait, and its task
  // is not to blame.
  std::chrono::milliseconds room_patience{10'000};
  std::size_t max_lookups = 64;  // of names at once; see NameGate
};

class Fetcher {
 public:
  // `budget` and `fetched` outlive the fetcher. Throws std::runtime_error when libcurl or epoll
  // cannot start.
  Fetcher(FetcherOptions options, BodyBudget& budget, Mailbox<Fetched>& fetched);
  ~Fetcher();

  // Any thread.
  [[nodiscard]] Mailbox<FetchCommand>& commands();

  // The owner thread; returns after StopFetching.
  void run();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace fetchline
