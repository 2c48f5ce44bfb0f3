// A fetcher to drive from a test: commands in, results out, every wait with a deadline.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/origin/origin.h"
#include "tests/origin/script.h"
#include "worker/fetcher.h"

namespace fetchline {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

inline constexpr JobSlot kJob{1};
inline constexpr seconds kPatience{20};

// A fetcher on its thread, and what it reports.
class Bench {
 public:
  explicit Bench(JobSettings settings = {}, std::size_t max_connections = 64,
                 std::size_t body_bytes = std::size_t{1} << 30,
                 AddressPolicy allow_net = AddressPolicy(),
                 milliseconds room_patience = seconds(10), std::size_t max_lookups = 64)
      : budget_(body_bytes),
        fetcher_({.worker_name = "test:1",
                  .max_connections = max_connections,
                  .allow_net = std::move(allow_net),
                  .room_patience = room_patience,
                  .max_lookups = max_lookups},
                 budget_, fetched_),
        thread_([this] { fetcher_.run(); }) {
    open(kJob, std::move(settings));
  }
  ~Bench() {
    fetcher_.commands().push(StopFetching{});
    thread_.join();
  }

  void open(JobSlot job, JobSettings settings) {
    fetcher_.commands().push(OpenJob{job, std::move(settings)});
  }

  void send(FetchCommand command) { fetcher_.commands().push(std::move(command)); }

  void fetch(Task task, JobSlot job = kJob) { send(Fetch{job, std::move(task)}); }

  void fetch(std::string url, Index index = 0) {
    Task task;
    task.index = index;
    task.url = std::move(url);
    fetch(std::move(task));
  }

  std::vector<Fetched> take_now() {
    std::vector<Fetched> all = fetched_.take();
    for (const Fetched& one : all) budget_.arrived(one.result.memory_bytes());
    return all;
  }

  // As if there were so many bytes of results.
  void hold(std::size_t bytes, std::vector<BodyBudget::Head> heads = {}) {
    budget_.set_held(bytes, std::move(heads));
  }

  // Those that have come, once there are so many or patience is over.
  std::vector<Fetched> take(std::size_t count) {
    std::vector<Fetched> all;
    const auto deadline = Clock::now() + kPatience;
    while (all.size() < count && Clock::now() < deadline) {
      pollfd ready{.fd = fetched_.fd(), .events = POLLIN, .revents = 0};
      poll(&ready, 1, 100);
      for (Fetched& fetched : take_now()) all.push_back(std::move(fetched));
    }
    EXPECT_EQ(all.size(), count);
    return all;
  }

  [[nodiscard]] const BodyBudget& budget() const { return budget_; }

  Fetched take_one() {
    std::vector<Fetched> all = take(1);
    return all.empty() ? Fetched{} : std::move(all.front());
  }

  Fetched get(std::string url) {
    fetch(std::move(url));
    return take_one();
  }

  Fetched get(Task task) {
    fetch(std::move(task));
    return take_one();
  }

 private:
  BodyBudget budget_;
  Mailbox<Fetched> fetched_;
  Fetcher fetcher_;
  std::thread thread_;
};

inline bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

inline Task task_of(std::string url) {
  Task task;
  task.url = std::move(url);
  return task;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A port that nothing listens on: it was free a moment ago.
inline std::string refusing_url() { return Origin().url("/"); }

}  // namespace fetchline
