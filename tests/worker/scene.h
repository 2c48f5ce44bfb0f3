// A WorkerCore between a producer and a collector (of one link or two) and fetchers, all played by
// hand: time stands still unless a test moves it, and what the core says is decoded and kept.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "tests/proto/frames.h"
#include "worker/worker_core.h"

namespace fetchline {

class Scene {
 public:
  using To = WorkerCore::To;
  static constexpr WorkerId kWorker{42};

  static WorkerCore::Settings default_settings() {
    WorkerCore::Settings settings;
    settings.id = kWorker;
    settings.name = "host:1";
    settings.slots = 4;
    return settings;
  }
  explicit Scene(const WorkerCore::Settings& settings = default_settings()) : core(settings) {}

  // Link 0 is of job 1, link 1 of job 2, unless a test says otherwise.
  static JobId job_of(std::size_t link) { return job_number(static_cast<std::uint8_t>(link + 1)); }

  template <class T>
  void producer_says(const T& message, std::size_t link = 0, Epoch epoch = Epoch{1}) {
    core.on_producer_message(link, {job_of(link), epoch, message}, now);
  }
  template <class T>
  void collector_says(const T& message, std::size_t link = 0) {
    core.on_collector_message(link, {job_of(link), Epoch{1}, message}, now);
  }

  // A numbered message with tasks; with settings as long as the worker has confirmed none.
  void hand_out(std::initializer_list<Index> indices, std::size_t link = 0) {
    Tasks message;
    message.seq = ++message_seq_[link];
    if (message.seq == 1) message.settings = settings_of(link);
    for (const Index index : indices) message.tasks.emplace_back().index = index;
    for (Task& task : message.tasks) task.may_retry = true;
    producer_says(message, link);
  }
  // Settings that tell the links apart.
  static JobSettings settings_of(std::size_t link) {
    JobSettings settings;
    settings.user_agent = link == 0 ? "first" : "second";
    return settings;
  }
  void see_reports(std::uint64_t through, std::size_t link = 0) {
    Tasks answer;
    answer.reports_seen = through;
    producer_says(answer, link);
  }
  Acks acks(std::initializer_list<IndexRange> accepted, Index watermark = 0) {
    Acks message;
    message.boot = BootId{1};
    message.seq = ++acks_seq_;
    message.watermark = watermark;
    message.admit_limit = kMaxIndex;
    message.byte_window = std::uint64_t{1} << 30;
    message.accepted = set_of(accepted);
    return message;
  }

  void turn(Duration later = Duration::zero()) {
    now += later;
    core.advance(now);
    collect();
  }
  void collect() {
    for (auto& outgoing : core.take_outgoing()) {
      said_[{outgoing.link, outgoing.to}].push_back(received_of(std::move(outgoing.frames)));
    }
    for (FetchCommand& command : core.take_commands()) {
      if (auto* fetch = std::get_if<Fetch>(&command)) {
        running[fetch->task.index] = fetch->job;
        started.push_back(fetch->task.index);
      } else if (auto* open = std::get_if<OpenJob>(&command)) {
        opened.push_back(std::move(*open));
      } else if (auto* close = std::get_if<CloseJob>(&command)) {
        closed.push_back(close->job);
      }
    }
  }
  // A fetcher is done with a task that was started.
  void finish(Index index, Outcome outcome = Outcome::ok, bool transient = false,
              std::size_t body_bytes = 0) {
    collect();
    ASSERT_TRUE(running.contains(index)) << index << " does not run";
    Fetched fetched;
    fetched.job = running[index];
    running.erase(index);
    fetched.result.index = index;
    fetched.result.outcome = outcome;
    fetched.result.url = "http://h/";
    fetched.result.body.assign(body_bytes, 'x');
    fetched.transient = transient;
    core.on_fetched(std::move(fetched));
  }

  // What was started since this was asked last.
  std::vector<Index> take_started() {
    collect();
    return std::exchange(started, {});
  }
  // The messages of a type that a peer heard since this was asked last.
  template <class T>
  std::vector<T> heard(To to, std::size_t link = 0) {
    collect();
    std::vector<T> messages;
    std::erase_if(said_[{link, to}], [&](const Received& received) {
      const auto* message = std::get_if<T>(&received.message);
      if (message == nullptr) return false;
      messages.push_back(*message);
      last_job = received.job;
      last_epoch = received.epoch;
      return true;
    });
    return messages;
  }
  // That the collector of the one link waits for.
  [[nodiscard]] Index head() const {
    const auto heads = core.heads();
    EXPECT_EQ(heads.size(), 1U);
    return heads.empty() ? 0 : heads[0].index;
  }

  Heartbeat last_heartbeat(std::size_t link = 0) {
    const auto all = heard<Heartbeat>(To::producer, link);
    EXPECT_FALSE(all.empty());
    return all.empty() ? Heartbeat{} : all.back();
  }
  std::vector<Index> results(std::size_t link = 0) {
    std::vector<Index> indices;
    while (auto frames = core.next_results(link, now)) {
      const auto message = message_of<Results>(std::move(*frames));
      EXPECT_EQ(message.sender, kWorker);
      for (const Result& result : message.results) indices.push_back(result.index);
    }
    return indices;
  }

  WorkerCore core;
  Instant now = Instant(std::chrono::seconds(1000));
  std::map<Index, JobSlot> running;  // as the fetchers know it
  std::vector<Index> started;
  std::vector<OpenJob> opened;
  std::vector<JobSlot> closed;
  JobId last_job;  // of the last message that heard() gave
  Epoch last_epoch{};

 private:
  std::map<std::pair<std::size_t, To>, std::vector<Received>> said_;
  std::map<std::size_t, std::uint64_t> message_seq_;
  std::uint64_t acks_seq_ = 0;
};

}  // namespace fetchline
