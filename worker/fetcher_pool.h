// The fetcher threads of a worker, seen from the relay: who gets which task, and what came back.
// Owned by the relay thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "worker/fetcher.h"

namespace fetchline {

class FetcherPool {
 public:
  // Starts `threads` fetchers, with so much memory for large bodies together. Throws
  // std::runtime_error when one cannot start.
  FetcherPool(std::size_t threads, const FetcherOptions& options, std::size_t body_bytes);
  ~FetcherPool();  // cancels what runs and waits for the threads
  FetcherPool(const FetcherPool&) = delete;
  FetcherPool& operator=(const FetcherPool&) = delete;

  // A Fetch goes to the fetcher of its host, so that connections are found again, unless that one
  // has much more to do than the others; everything else goes to all.
  void order(std::vector<FetchCommand> commands);
  [[nodiscard]] std::vector<Fetched> take_fetched();
  // How many bytes of results are held, those of take_fetched() among them.
  void set_held(std::size_t bytes, std::vector<BodyBudget::Head> heads);
  // Transfers that wait for memory.
  [[nodiscard]] std::size_t paused() const { return budget_.waiting(); }
  [[nodiscard]] std::vector<int> fds() const;  // readable when take_fetched() would find something

 private:
  struct Member {
    Member(const FetcherOptions& options, BodyBudget& budget) : fetcher(options, budget, fetched) {}
    Mailbox<Fetched> fetched;
    Fetcher fetcher;
    std::vector<FetchCommand> orders;  // of this turn
    std::map<JobSlot, std::size_t> running_of;
    std::size_t running = 0;  // of all jobs
    std::thread thread;
  };

  [[nodiscard]] Member& member_for(std::string_view url);
  void stop();
  void begin(Member& member, JobSlot job);
  void end(Member& member, JobSlot job);
  void forget(JobSlot job);

  BodyBudget budget_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t running_ = 0;
  std::size_t arrived_bytes_ = 0;  // taken from the fetchers since the last set_held()
};

}  // namespace fetchline
