#include "tests/simulation/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/simulation/roles.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFaultsEnd{20};   // from then on the network is calm and nobody dies
constexpr seconds kTimeLimit{400};  // and the job must be over within a bound

constexpr seconds kPeerTimeout{60};

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      network_(plan),
      collector_({.boot = BootId{7}, .window = plan.window, .memory_bytes = plan.memory_bytes}) {}

World::~World() = default;

void World::run() {
  producers_.push_back(std::make_unique<SimulatedProducer>(plan_, 0));
  for (std::uint32_t i = 0; i < plan_.workers; ++i) add_worker();
  schedule_faults();
  const Instant begin = network_.now();
  network_.after(kFaultsEnd, [this] { network_.calm_down(); });
  tick();
  while (!everybody_is_over() && !testing::Test::HasFailure()) {
    if (!network_.step(begin + kTimeLimit)) {
      FAIL() << "not over: " << output_.size() << " of " << plan_.tasks
             << " records, producer in phase " << static_cast<int>(producers_.back()->core.phase())
             << ", " << producers_.back()->core.in_flight() << " leased, "
             << producers_.back()->core.worker_count() << " workers, collector's watermark "
             << collector_.watermark() << (collector_.done() ? ", done" : "") << describe_workers();
    }
  }
  check_output();
  check_requests();
  check_producers();
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
  for (const auto& producer : producers_) turn_producer(*producer);
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
  for (int i = 0; i < plan_.restarts; ++i) {
    network_.after(network_.between(0, 15'000'000), [this] { restart_producer(); });
  }
}

void World::one_fault() {
  SimulatedWorker& worker = *workers_[network_.draw() % workers_.size()];
  switch (network_.draw() % 5) {
    case 0:
      add_worker();
      break;
    case 1:  // killed, and replaced so that somebody is left
      killed_by_chance_ |= !worker.gone();
      kill(worker);
      break;
    case 2:
      if (!worker.gone()) worker.core.drain();
      add_worker();
      break;
    case 3:
      ++worker.link;
      break;  // reconnected under another routing id
    case 4:
      ++producers_.back()->link;
      break;
    default:
      break;
  }
}

void World::kill(SimulatedWorker& worker) {
  if (worker.gone()) return;
  worker.dead = true;
  add_worker();
}

// The one before is killed, or lingers: workers have left it, but it speaks as if nothing was.
// Not before it was granted its epoch, or it might be granted the newer one.
void World::restart_producer() {
  SimulatedProducer& before = *producers_.back();
  if (collector_.done() || before.core.phase() == ProducerCore::Phase::opening) return;
  before.dead = network_.chance(0.5);
  before.replaced = network_.now();
  producers_.push_back(std::make_unique<SimulatedProducer>(plan_, producers_.size()));
  turn_producer(*producers_.back());
}

void World::read_input(SimulatedProducer& producer) {
  while (producer.core.wants_input() && !producer.input_waits) {
    if (producer.lines_read == plan_.tasks) return producer.core.end_of_input();
    const Index index = producer.lines_read++;
    Task task;
    task.url = url_of(index);
    if (is_unsafe(plan_, index)) task.method = "POST";
    if (is_faulty(plan_, index)) {
      producer.core.add_faulty(std::move(task), "line " + std::to_string(index + 1) + ": bad");
    } else {
      producer.core.add_task(std::move(task));
    }
    if (!network_.chance(plan_.trickle)) continue;
    producer.input_waits = true;
    network_.after(network_.between(100, 200'000), [this, p = &producer] {
      p->input_waits = false;
      turn_producer(*p);
    });
  }
}

void World::turn_producer(SimulatedProducer& producer) {
  if (is_over(producer)) return;
  read_input(producer);
  producer.core.advance(network_.now(), milliseconds(1));
  for (auto& outgoing : producer.core.take_outgoing()) {
    if (outgoing.worker.empty()) {
      to_collector(producer.peer(), std::move(outgoing.frames));
    } else {
      hear_at_worker(outgoing.worker, std::move(outgoing.frames), true);
    }
  }
  while (auto batch = producer.core.next_results(network_.now())) {
    if (network_.chance(plan_.blocked_send)) {
      producer.core.results_not_sent();
      break;
    }
    to_collector(producer.peer(), std::move(*batch));
  }
}

void World::hear_at_worker(const PeerId& peer, Frames frames, bool from_producer) {
  for (auto& worker : workers_) {
    if (worker->peer() != peer) continue;
    network_.carry(std::move(frames), [this, from_producer, w = worker.get()](Received received) {
      if (w->gone()) return;
      w->heard = network_.now();
      if (from_producer) {
        w->core.on_producer_message(0, std::move(received), network_.now());
      } else {
        w->core.on_collector_message(0, std::move(received), network_.now());
      }
      turn_worker(*w);
    });
    return;
  }
}

void World::to_producer(const PeerId& from, Frames frames) {
  network_.carry(std::move(frames), [this, from, p = producers_.back().get()](Received received) {
    if (p->dead) return;
    p->core.on_worker_message(from, std::move(received), network_.now());
    turn_producer(*p);
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
    const auto at = std::find_if(producers_.begin(), producers_.end(), [&](const auto& producer) {
      return producer->peer() == outgoing.peer;
    });
    if (at == producers_.end()) {
      hear_at_worker(outgoing.peer, std::move(outgoing.frames), false);
      continue;
    }
    network_.carry(std::move(outgoing.frames), [this, p = at->get()](Received received) {
      if (p->dead) return;
      p->core.on_collector_message(std::move(received), network_.now());
      turn_producer(*p);
    });
  }
  collector_over_ = collector_.over(network_.now());
  if (collector_over_) collector_over_since_ = network_.now();
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
  const bool in_vain = is_over(*producers_.back()) && network_.now() - worker.heard > kPeerTimeout;
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
  count(task);
  if (plan_.poison.contains(task.index)) {
    network_.after(network_.between(1'000, 500'000), [this, w = &worker] { kill(*w); });
    return;
  }
  Fetched fetched;
  fetched.job = order.job;
  fetched.result.index = task.index;
  fetched.result.attempts = task.attempt;
  fetched.result.url = task.url;
  fetched.transient = !is_unsafe(plan_, task.index) && network_.chance(plan_.transient_failure);
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

void World::count(const Task& task) {
  ++counts_.requests;
  if (task.index < collector_.watermark()) ++counts_.repeated;
  if (++requests_[{task.index, task.attempt}] > 1) ++counts_.duplicates;
}

// Who asks when the collector has left asks in vain.
bool World::is_over(const SimulatedProducer& producer) const {
  const Duration silence = network_.now() - producer.core.collector_heard();
  return producer.dead || producer.fenced() || producer.core.over(network_.now()) ||
         (collector_over_since_ && silence > kPeerTimeout &&
          network_.now() - *collector_over_since_ > kPeerTimeout);
}

bool World::everybody_is_over() const {
  if (!collector_over_) return false;
  for (const auto& producer : producers_) {
    if (!is_over(*producer)) return false;
  }
  for (const auto& worker : workers_) {
    if (!worker->gone()) return false;
  }
  return true;
}

}  // namespace fetchline
