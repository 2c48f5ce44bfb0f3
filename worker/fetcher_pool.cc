#include "worker/fetcher_pool.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "worker/plain_url.h"

namespace fetchline {
namespace {

// A fetcher may be this much busier than the mean before a host's tasks go elsewhere too
// ("consistent hashing with bounded loads", Mirrokni et al. 2016).
constexpr double kBoundedLoad = 1.25;
constexpr std::size_t kLoadSlack = 4;

}  // namespace

FetcherPool::FetcherPool(std::size_t threads, const FetcherOptions& options, std::size_t body_bytes)
    : budget_(body_bytes) {
  for (std::size_t i = 0; i < threads; ++i) {
    members_.push_back(std::make_unique<Member>(options, budget_));
  }
  try {
    for (auto& member : members_) {
      member->thread = std::thread([fetcher = &member->fetcher] { fetcher->run(); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

FetcherPool::~FetcherPool() { stop(); }

void FetcherPool::stop() {
  for (auto& member : members_) member->fetcher.commands().push(StopFetching{});
  for (auto& member : members_) {
    if (member->thread.joinable()) member->thread.join();
  }
}

void FetcherPool::order(std::vector<FetchCommand> commands) {
  for (FetchCommand& command : commands) {
    if (auto* fetch = std::get_if<Fetch>(&command)) {
      Member& member = member_for(fetch->task.url);
      begin(member, fetch->job);
      member.orders.push_back(std::move(command));
      continue;
    }
    if (const auto* close = std::get_if<CloseJob>(&command)) forget(close->job);
    for (auto& member : members_) member->orders.push_back(command);
  }
  for (auto& member : members_) member->fetcher.commands().push_all(member->orders);
}

FetcherPool::Member& FetcherPool::member_for(std::string_view url) {
  // The upper half of the hash: a fetcher spreads its hosts over shards by the lower one.
  const std::size_t home =
      (std::hash<std::string_view>()(authority_of(url)) >> 32U) % members_.size();
  const auto mean = static_cast<double>(running_) / static_cast<double>(members_.size());
  const auto limit = static_cast<std::size_t>(mean * kBoundedLoad) + kLoadSlack;
  if (members_[home]->running < limit) return *members_[home];
  return **std::min_element(members_.begin(), members_.end(),
                            [](const auto& a, const auto& b) { return a->running < b->running; });
}

std::vector<Fetched> FetcherPool::take_fetched() {
  std::vector<Fetched> all;
  for (auto& member : members_) {
    auto fetched = member->fetched.take();
    for (const Fetched& one : fetched) {
      end(*member, one.job);
      arrived_bytes_ += one.result.memory_bytes();
    }
    if (all.empty()) {
      all = std::move(fetched);
    } else {
      std::move(fetched.begin(), fetched.end(), std::back_inserter(all));
    }
  }
  return all;
}

void FetcherPool::set_held(std::size_t bytes, std::vector<BodyBudget::Head> heads) {
  budget_.set_held(bytes, std::move(heads));
  budget_.arrived(std::exchange(arrived_bytes_, 0));
}

void FetcherPool::begin(Member& member, JobSlot job) {
  ++member.running_of[job];
  ++member.running;
  ++running_;
}

// Late results of a closed job find nothing to count.
void FetcherPool::end(Member& member, JobSlot job) {
  const auto at = member.running_of.find(job);
  if (at == member.running_of.end()) return;
  if (--at->second == 0) member.running_of.erase(at);
  --member.running;
  --running_;
}

void FetcherPool::forget(JobSlot job) {
  for (auto& member : members_) {
    const auto at = member->running_of.find(job);
    if (at == member->running_of.end()) continue;
    member->running -= at->second;
    running_ -= at->second;
    member->running_of.erase(at);
  }
}

std::vector<int> FetcherPool::fds() const {
  std::vector<int> fds;
  for (const auto& member : members_) fds.push_back(member->fetched.fd());
  return fds;
}

}  // namespace fetchline
