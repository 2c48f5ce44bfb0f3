// A ProducerCore among workers and a collector that are played by hand: time stands still unless a
// test moves it, and what the core says is decoded and kept.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "producer/producer_core.h"
#include "tests/proto/frames.h"

namespace fetchline {

// A worker as the producer sees it. `hears` false: what is sent to it is lost.
struct StubWorker {
  PeerId peer;
  Heartbeat says;
  JobId job;
  Epoch epoch{};
  bool hears = true;
  std::vector<Tasks> messages;  // all that arrived, with tasks or without
  std::vector<Task> tasks;      // of all messages
  std::vector<Done> done;

  [[nodiscard]] std::vector<Index> indices() const {
    std::vector<Index> all;
    for (const Task& task : tasks) all.push_back(task.index);
    return all;
  }
};

class Scene {
 public:
  static constexpr std::uint64_t kNonce = 77;
  static constexpr Epoch kEpoch{1};

  explicit Scene(ProducerCore::Settings settings = default_settings()) : core(settings) {}

  static ProducerCore::Settings default_settings() {
    ProducerCore::Settings settings;
    settings.job = job_number(1);
    settings.nonce = kNonce;
    settings.job_settings.user_agent = "scene/1";
    settings.retry = {
        .retries = 2, .delay = std::chrono::seconds(1), .max_delay = std::chrono::seconds(600)};
    settings.name = "producer:1";
    return settings;
  }

  void add_tasks(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Task task;
      task.url = "http://h/" + std::to_string(core.next_index());
      core.add(std::move(task));
    }
  }

  // The collector speaks.
  template <class T>
  void collector_says(const T& message, Epoch epoch = kEpoch, JobId of = job_number(1)) {
    core.on_collector_message({of, epoch, message}, now);
  }
  // A State that follows the one before; all may be handed out, POSTs too.
  State next_state(Index watermark = 0, Index dispatch_limit = kMaxIndex) {
    State state;
    state.boot = BootId{5};
    state.nonce = kNonce;
    state.seq = ++state_seq_;
    state.watermark = watermark;
    state.dispatch_limit = dispatch_limit;
    state.begun_below = kMaxIndex;
    state.whole = true;
    return state;
  }
  void open(Index dispatch_limit = kMaxIndex) { collector_says(next_state(0, dispatch_limit)); }

  // A worker logs in or says how things are.
  StubWorker& worker(const std::string& name, std::uint32_t slots, std::uint32_t backlog = 0) {
    StubWorker& stub = workers_[name];
    stub.peer = stub.says.name = name;
    stub.says.worker = WorkerId{workers_.size()};
    stub.says.slots = slots;
    stub.says.backlog = backlog;
    beat(stub);
    return stub;
  }
  void beat(StubWorker& stub) {
    ++stub.says.seq;
    core.on_worker_message(stub.peer, {stub.job, stub.epoch, stub.says}, now);
  }
  void report(StubWorker& stub, const Report& report) {
    stub.says.reports.push_back(report);
    beat(stub);
  }
  void delivers(StubWorker& stub, Index index) {
    report(stub, {index, 1, Report::Verdict::delivered, Outcome::ok, {}});
  }
  void returns(StubWorker& stub, Index index) {
    report(stub, {index, 1, Report::Verdict::returned, Outcome::cancelled, {}});
  }
  void leaves(StubWorker& stub) {
    core.on_worker_message(stub.peer, {stub.job, stub.epoch, Bye{stub.says.worker}}, now);
  }

  // One turn of the loop; what was said arrives, unless it is lost.
  void turn(Duration later = Duration::zero()) {
    now += later;
    core.advance(now, std::chrono::milliseconds(123'456));
    for (auto& outgoing : core.take_outgoing()) {
      Received received = received_of(std::move(outgoing.frames));
      if (core.phase() == ProducerCore::Phase::opening && !outgoing.worker.empty()) {
        EXPECT_TRUE(received.job.is_none());
        EXPECT_TRUE(std::get<Tasks>(received.message).tasks.empty());
        ++answered_logins;
        continue;
      }
      EXPECT_EQ(received.job, job);
      if (outgoing.worker.empty()) {
        to_collector.push_back(std::move(received));
      } else if (workers_.contains(outgoing.worker)) {
        hear(workers_[outgoing.worker], received);
      }
    }
  }
  // The seconds pass with a heartbeat of each of `living` and a turn in each.
  void pass(int seconds, std::initializer_list<StubWorker*> living) {
    for (int i = 0; i < seconds; ++i) {
      now += std::chrono::seconds(1);
      for (StubWorker* stub : living) beat(*stub);
      turn();
    }
  }

  // How many messages of a type went to the collector since this was asked last.
  template <class T>
  std::vector<T> heard_by_collector() {
    std::vector<T> messages;
    std::erase_if(to_collector, [&](const Received& received) {
      const auto* message = std::get_if<T>(&received.message);
      if (message != nullptr) messages.push_back(*message);
      return message != nullptr;
    });
    return messages;
  }

  std::vector<Result> results() {
    std::vector<Result> all;
    while (auto frames = core.next_results(now)) {
      auto message = message_of<Results>(std::move(*frames));
      EXPECT_EQ(message.sender, WorkerId{kNonce});
      for (Result& result : message.results) all.push_back(std::move(result));
    }
    return all;
  }

  ProducerCore core;
  JobId job = job_number(1);  // that the core is expected to speak of
  Instant now = Instant(std::chrono::seconds(1000));
  std::vector<Received> to_collector;
  std::size_t answered_logins = 0;  // before there was a job

 private:
  static void hear(StubWorker& stub, const Received& received) {
    if (!stub.hears) return;
    if (const auto* tasks = std::get_if<Tasks>(&received.message)) {
      stub.job = received.job;
      stub.epoch = received.epoch;
      if (tasks->seq > 0) stub.says.received.insert(tasks->seq);
      stub.messages.push_back(*tasks);
      stub.tasks.insert(stub.tasks.end(), tasks->tasks.begin(), tasks->tasks.end());
    } else if (const auto* done = std::get_if<Done>(&received.message)) {
      stub.done.push_back(*done);
    } else {
      ADD_FAILURE() << "a worker got message number " << received.message.index();
    }
  }

  std::map<std::string, StubWorker> workers_;
  std::uint64_t state_seq_ = 0;
};

// Seconds pass until those that do not speak are taken for dead.
inline void lose(Scene& scene, std::initializer_list<StubWorker*> living = {}) {
  scene.pass(5, living);
}
// The kernel of its machine has closed its connection, as it does when a process dies.
inline void kill(Scene& scene, const StubWorker& worker) {
  scene.core.worker_unreachable(worker.peer, scene.now);
  lose(scene);
}

}  // namespace fetchline
