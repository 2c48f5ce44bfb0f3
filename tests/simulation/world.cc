#include "tests/simulation/world.h"

#include <gtest/gtest.h>

#include <utility>

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFaultsEnd{20};   // from then on the network is calm and nobody dies
constexpr seconds kTimeLimit{400};  // and the job must be over within a bound

constexpr seconds kPeerTimeout{60};

JobId some_job() {
  JobId job;
  job.bytes[0] = 1;
  return job;
}

std::string url_of(Index index) { return "http://origin/" + std::to_string(index); }

std::string body_of(const Plan& plan, Index index) {
  return std::string(body_size_of(plan, index), static_cast<char>('a' + index % 26));
}

bool is_faulty(const Plan& plan, Index index) {
  std::mt19937_64 random(plan.seed ^ (index * 31 + 7));
  return std::uniform_real_distribution<double>(0, 1)(random) < plan.faulty_line;
}

ProducerCore::Settings producer_settings(const Plan& plan) {
  ProducerCore::Settings settings;
  settings.job = some_job();
  settings.nonce = plan.seed + 1;
  settings.retry.retries = plan.retries;
  settings.name = "producer:1";
  return settings;
}

}  // namespace

struct World::SimulatedWorker {
  explicit SimulatedWorker(WorkerCore::Settings settings) : number(settings.id), core(settings) {}

  WorkerId number;
  WorkerCore core;
  std::uint64_t link = 0;  // its connections; a new number is a new routing id
  Instant heard;  // of the producer or the collector; the loop gives up when that is long ago
  bool dead = false;
  bool over = false;
  std::map<Index, std::uint32_t> running;

  [[nodiscard]] bool gone() const { return dead || over; }
  [[nodiscard]] PeerId peer() const {
    return "w" + std::to_string(static_cast<std::uint64_t>(number)) + "." + std::to_string(link);
  }
};

World::World(const Plan& plan)
    : plan_(plan),
      network_(plan),
      producer_(producer_settings(plan)),
      collector_({.boot = BootId{7}, .window = plan.window, .memory_bytes = plan.memory_bytes}) {}

World::~World() = default;

void World::run() {
  for (std::uint32_t i = 0; i < plan_.workers; ++i) add_worker();
  schedule_faults();
  const Instant begin = network_.now();
  network_.after(kFaultsEnd, [this] { network_.calm_down(); });
  tick();
  while (!everybody_is_over() && !testing::Test::HasFailure()) {
    if (!network_.step(begin + kTimeLimit)) {
      FAIL() << "not over: " << output_.size() << " of " << plan_.tasks
             << " records, producer in phase " << static_cast<int>(producer_.phase()) << ", "
             << producer_.in_flight() << " leased, " << producer_.worker_count()
             << " workers, collector's watermark " << collector_.watermark()
             << (collector_.done() ? ", done" : "") << describe_workers();
    }
  }
  check_output();
}

std::string World::describe_workers() const {
  std::string text;
  for (const auto& worker : workers_) {
    text += "\n  worker " + worker->peer() +
            (worker->dead   ? " dead"
             : worker->over ? " over"
                            : "") +
            ": " + std::to_string(worker->core.running()) + " running (" +
            std::to_string(worker->running.size()) + "), " + std::to_string(worker->core.queued()) +
            " queued, " + std::to_string(worker->core.held_bytes()) + " bytes held" +
            (worker->core.has_reports() ? ", reports unsent" : "");
  }
  return text;
}

// Everybody looks around ten times a second, as the loops do.
void World::tick() {
  turn_producer();
  turn_collector();
  for (std::size_t i = 0; i < workers_.size(); ++i) turn_worker(*workers_[i]);
  network_.after(milliseconds(100), [this] { tick(); });
}

void World::add_worker() {
  WorkerCore::Settings settings;
  settings.id = WorkerId{workers_.size() + 100};
  settings.name = "worker:" + std::to_string(workers_.size());
  settings.slots = plan_.slots;
  settings.held_bytes = plan_.held_bytes;
  workers_.push_back(std::make_unique<SimulatedWorker>(settings));
  workers_.back()->heard = network_.now();
  turn_worker(*workers_.back());
}

void World::schedule_faults() {
  for (int i = 0; i < plan_.faults; ++i) {
    network_.after(network_.between(0, 15'000'000), [this] { one_fault(); });
  }
}

void World::one_fault() {
  SimulatedWorker& worker = *workers_[network_.draw() % workers_.size()];
  switch (network_.draw() % 5) {
    case 0:
      add_worker();
      break;
    case 1:  // killed, and replaced so that somebody is left
      worker.dead = true;
      add_worker();
      break;
    case 2:
      if (!worker.gone()) worker.core.drain();
      add_worker();
      break;
    case 3:
      ++worker.link;
      break;  // reconnected under another routing id
    case 4:
      ++producer_link_;
      break;
    default:
      break;
  }
}

void World::read_input() {
  while (producer_.wants_input() && !input_waits_) {
    if (lines_read_ == plan_.tasks) return producer_.end_of_input();
    const Index index = lines_read_++;
    Task task;
    task.url = url_of(index);
    if (is_faulty(plan_, index)) {
      producer_.add_faulty(std::move(task), "line " + std::to_string(index + 1) + ": bad");
    } else {
      producer_.add_task(std::move(task));
    }
    if (!network_.chance(plan_.trickle)) continue;
    input_waits_ = true;
    network_.after(network_.between(100, 200'000), [this] {
      input_waits_ = false;
      turn_producer();
    });
  }
}

void World::turn_producer() {
  if (producer_.over(network_.now())) return;
  read_input();
  producer_.advance(network_.now(), milliseconds(1));
  const PeerId self = "p." + std::to_string(producer_link_);
  for (auto& outgoing : producer_.take_outgoing()) {
    if (outgoing.worker.empty()) {
      to_collector(self, std::move(outgoing.frames));
      continue;
    }
    for (auto& worker : workers_) {
      if (worker->peer() != outgoing.worker) continue;
      network_.carry(std::move(outgoing.frames), [this, w = worker.get()](Received received) {
        if (w->gone()) return;
        w->heard = network_.now();
        w->core.on_producer_message(0, std::move(received), network_.now());
        turn_worker(*w);
      });
      break;
    }
  }
  while (auto batch = producer_.next_results(network_.now())) {
    if (network_.chance(plan_.blocked_send)) {
      producer_.results_not_sent();
      break;
    }
    to_collector(self, std::move(*batch));
  }
}

void World::to_producer(const PeerId& from, Frames frames) {
  network_.carry(std::move(frames), [this, from](Received received) {
    producer_.on_worker_message(from, std::move(received), network_.now());
    turn_producer();
  });
}

void World::to_collector(const PeerId& from, Frames frames) {
  network_.carry(std::move(frames), [this, from](Received received) {
    if (collector_over_) return;
    collector_.on_message(from, std::move(received), network_.now());
    turn_collector();
  });
}

void World::turn_collector() {
  if (collector_over_) return;
  put_out();
  collector_.advance(network_.now());
  for (auto& outgoing : collector_.take_outgoing()) {
    if (outgoing.peer == "p." + std::to_string(producer_link_)) {
      network_.carry(std::move(outgoing.frames), [this](Received received) {
        producer_.on_collector_message(std::move(received), network_.now());
        turn_producer();
      });
      continue;
    }
    for (auto& worker : workers_) {
      if (worker->peer() != outgoing.peer) continue;
      network_.carry(std::move(outgoing.frames), [this, w = worker.get()](Received received) {
        if (w->gone()) return;
        w->heard = network_.now();
        w->core.on_collector_message(0, std::move(received), network_.now());
        turn_worker(*w);
      });
      break;
    }
  }
  collector_over_ = collector_.over(network_.now());
}

void World::put_out() {
  ASSERT_LE(collector_.reorder().held_bytes(), plan_.memory_bytes + sizeof(Result) + 4096)
      << "memory was promised";
  while (auto result = collector_.take_next()) output_.push_back(std::move(*result));
  if (collector_.complete() && !collector_.done()) collector_.set_done(network_.now());
}

void World::turn_worker(SimulatedWorker& worker) {
  if (worker.gone()) return;
  worker.core.advance(network_.now());
  for (FetchCommand& command : worker.core.take_commands()) {
    if (const auto* order = std::get_if<Fetch>(&command)) fetch(worker, *order);
    if (std::holds_alternative<CloseJob>(command)) worker.running.clear();
  }
  for (auto& outgoing : worker.core.take_outgoing()) {
    const bool is_producer = outgoing.to == WorkerCore::To::producer;
    if (is_producer) {
      to_producer(worker.peer(), std::move(outgoing.frames));
    } else {
      to_collector(worker.peer(), std::move(outgoing.frames));
    }
  }
  send_results(worker);
  // Who comes when everybody has left waits in vain; nobody else may.
  const bool in_vain =
      producer_.over(network_.now()) && network_.now() - worker.heard > kPeerTimeout;
  worker.over = worker.core.over() || in_vain;
}

void World::send_results(SimulatedWorker& worker) {
  while (auto batch = worker.core.next_results(0, network_.now())) {
    if (network_.chance(plan_.blocked_send)) return worker.core.results_not_sent(0);
    to_collector(worker.peer(), std::move(*batch));
  }
}

void World::fetch(SimulatedWorker& worker, const Fetch& order) {
  const Task& task = order.task;
  ASSERT_LT(task.index, collector_.watermark() + plan_.window) << "beyond the window";
  ASSERT_LE(task.attempt, plan_.retries + 1) << "more attempts than allowed";
  ASSERT_EQ(task.url, url_of(task.index));
  ASSERT_TRUE(worker.running.emplace(task.index, task.attempt).second) << "fetched twice at once";
  ASSERT_LE(worker.running.size(), plan_.slots) << "more transfers than slots";
  ++counts_.requests;
  if (task.index < collector_.watermark()) ++counts_.repeated;
  Fetched fetched;
  fetched.job = order.job;
  fetched.result.index = task.index;
  fetched.result.attempts = task.attempt;
  fetched.result.url = task.url;
  fetched.transient = network_.chance(plan_.transient_failure);
  fetched.result.outcome = fetched.transient ? Outcome::timeout : Outcome::ok;
  if (!fetched.transient) fetched.result.body = body_of(plan_, task.index);
  if (fetched.transient && network_.chance(0.3)) fetched.retry_after = milliseconds(2500);
  const auto time =
      network_.chance(0.1) ? network_.between(100'000, 8'000'000) : network_.between(100, 50'000);
  auto answer = std::make_shared<Fetched>(std::move(fetched));
  network_.after(time, [this, w = &worker, answer] {
    if (w->gone() || w->running.erase(answer->result.index) == 0) return;
    w->core.on_fetched(std::move(*answer));
    turn_worker(*w);
  });
}

bool World::everybody_is_over() const {
  if (!collector_over_ || !producer_.over(network_.now())) return false;
  for (const auto& worker : workers_) {
    if (!worker->gone()) return false;
  }
  return true;
}

void World::check_output() const {
  if (testing::Test::HasFailure()) return;
  ASSERT_EQ(output_.size(), plan_.tasks);
  for (Index index = 0; index < plan_.tasks; ++index) {
    const Result& result = output_[index];
    ASSERT_EQ(result.index, index);
    ASSERT_EQ(result.url, url_of(index));
    if (is_faulty(plan_, index)) {
      ASSERT_EQ(result.outcome, Outcome::invalid_task);
    } else if (result.outcome == Outcome::ok) {
      ASSERT_EQ(result.body, body_of(plan_, index));
    } else {
      ASSERT_EQ(result.outcome, Outcome::timeout);
      ASSERT_EQ(result.attempts, plan_.retries + 1) << "given up too early";
    }
  }
  ASSERT_EQ(producer_.counts(), collector_.counts());
  ASSERT_EQ(total_of(collector_.counts()), plan_.tasks);
}

}  // namespace fetchline
