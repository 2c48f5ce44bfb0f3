#include "tests/simulation/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proto/task_hash.h"
#include "tests/simulation/roles.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFaultsEnd{20};   // from then on the network is calm and nobody dies
constexpr seconds kTimeLimit{400};  // and the job must be over within a bound

constexpr seconds kPeerTimeout{60};
constexpr milliseconds kKnown{20};  // by the producer, when nothing is lost or late

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      network_(plan),
      collector_(plan, network_, [this](const Result& result) { check_record(result); }) {}

World::~World() = default;

void World::run() {
  producers_.push_back(std::make_unique<SimulatedProducer>(plan_, 0, std::nullopt));
  for (std::uint32_t i = 0; i < plan_.workers; ++i) add_worker();
  schedule_faults();
  const Instant begin = network_.now();
  network_.after(kFaultsEnd, [this] { network_.calm_down(); });
  tick();
  while (!everybody_is_over() && !testing::Test::HasFailure()) {
    if (!network_.step(begin + kTimeLimit)) {
      FAIL() << "not over: " << collector_.disk().output().size() << " of " << plan_.tasks
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

// Most jobs are short: many faults come early.
Duration World::time_of_fault() {
  const int latest = std::array{50'000, 1'000'000, 15'000'000}[network_.draw() % 3];
  return network_.between(0, latest);
}

void World::schedule_faults() {
  for (int i = 0; i < plan_.faults; ++i) {
    network_.after(time_of_fault(), [this] { one_fault(); });
  }
  for (int i = 0; i < plan_.restarts; ++i) {
    network_.after(time_of_fault(), [this] { replace_producer(); });
  }
  for (int i = 0; i < plan_.crashes; ++i) {
    network_.after(time_of_fault(),
                   [this] { collector_.die_in(1 + static_cast<int>(network_.draw() % 40)); });
  }
}

void World::one_fault() {
  SimulatedWorker& worker = *workers_[network_.draw() % workers_.size()];
  switch (network_.draw() % 5) {
    case 0:
      add_worker();
      break;
    case 1:  // killed in the midst of a turn, and replaced so that somebody is left
      worker.fuse.light(1 + static_cast<int>(network_.draw() % 20));
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

// The one before dies in the midst of a turn, or lingers: workers have left it, but it speaks as if
// nothing was. One that was not granted its epoch has nothing to linger for.
void World::replace_producer() {
  SimulatedProducer& before = *producers_.back();
  if (collector_.over() || is_over(before)) return;
  if (before.core.phase() == ProducerCore::Phase::opening || network_.chance(0.5)) {
    before.fuse.light(1 + static_cast<int>(network_.draw() % 20));
  } else {
    start_producer(!network_.chance(plan_.other_input));
  }
}

// Another input can only be told by a result that is there.
void World::start_producer(bool same_input) {
  for (const auto& producer : producers_) producer->replaced = network_.now();
  std::optional<Index> differs;
  const auto known = collector_.safe_indices();
  if (!same_input && !known.empty() && plan_.journal_limit_bytes > 0) {
    differs = known[network_.draw() % known.size()];
  }
  producers_.push_back(std::make_unique<SimulatedProducer>(plan_, producers_.size(), differs));
  turn_producer(*producers_.back());
  if (plan_.crashes == 0 || network_.chance(0.5)) return;
  collector_.die_in(1 + static_cast<int>(network_.draw() % 20));  // both at once
}

// Whoever gave it the wrong input gives it the right one.
void World::on_other_input(SimulatedProducer& producer) {
  ASSERT_TRUE(producer.differs) << "at " << producer.core.other_input_at();
  // A finished output tells not of every task what it was, but of all of them together.
  const bool exact = !collector_.disk().finished();
  ASSERT_LE(producer.core.other_input_at(), *producer.differs);
  ASSERT_TRUE(!exact || producer.core.other_input_at() == *producer.differs);
  producer.core.leave();
  for (auto& outgoing : producer.core.take_outgoing()) {
    if (outgoing.worker.empty()) to_collector(producer.peer(), std::move(outgoing.frames));
  }
  producer.dead = true;
  if (&producer != producers_.back().get()) return;
  network_.after(network_.between(0, 2'000'000), [this] { start_producer(true); });
}

void World::read_input(SimulatedProducer& producer) {
  while (producer.core.wants_input() && !producer.input_waits) {
    if (producer.lines_read == plan_.tasks) return producer.core.end_of_input();
    const Index index = producer.lines_read++;
    Task task;
    task.url = url_of(index);
    task.hash = hash_of(plan_, index);
    if (producer.differs == index) {
      task.url += "/another";
      task.hash = plain_task_hash(task.url);
    }
    if (is_unsafe(plan_, index)) task.method = "POST";
    if (is_faulty(plan_, index)) {
      producer.core.add(std::move(task), "line " + std::to_string(index + 1) + ": bad");
    } else {
      producer.core.add(std::move(task));
    }
    if (!network_.chance(plan_.trickle)) continue;
    producer.input_waits = true;
    network_.after(network_.between(100, 200'000), [this, p = &producer] {
      p->input_waits = false;
      turn_producer(*p);
    });
  }
}

void World::turn_producer(SimulatedProducer& producer) try {
  if (is_over(producer)) return;
  ASSERT_NE(producer.core.phase(), ProducerCore::Phase::forgotten);
  ASSERT_FALSE(producer.differs && producer.core.phase() == ProducerCore::Phase::running)
      << "with another input at " << *producer.differs;
  if (producer.core.phase() == ProducerCore::Phase::other_input) return on_other_input(producer);
  work(producer);
} catch (const Crash&) {
  producer.dead = true;
  const bool same_input = !network_.chance(plan_.other_input);
  if (&producer != producers_.back().get()) return;
  network_.after(network_.between(0, 2'000'000), [=, this] { start_producer(same_input); });
}

void World::work(SimulatedProducer& producer) {
  read_input(producer);
  producer.fuse.step();
  producer.core.advance(network_.now(), milliseconds(1));
  for (auto& outgoing : producer.core.take_outgoing()) {
    producer.fuse.step();
    if (outgoing.worker.empty()) {
      to_collector(producer.peer(), std::move(outgoing.frames));
    } else if (is_dead(outgoing.worker)) {
      producer.core.worker_unreachable(outgoing.worker, network_.now());
    } else {
      hear_at_worker(outgoing.worker, std::move(outgoing.frames), true);
    }
  }
  while (auto batch = producer.core.next_results(network_.now())) {
    producer.fuse.step();
    if (network_.chance(plan_.blocked_send)) {
      producer.core.results_not_sent();
      break;
    }
    to_collector(producer.peer(), std::move(*batch));
  }
}

bool World::is_dead(const PeerId& peer) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const auto& worker) { return worker->gone() && worker->peer() == peer; });
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
    collector_.on_message(from, std::move(received));
    turn_collector();
  });
}

void World::turn_collector() {
  collector_.turn([this](CollectorCore::Outgoing outgoing) {
    const auto at = std::find_if(producers_.begin(), producers_.end(), [&](const auto& producer) {
      return producer->peer() == outgoing.peer;
    });
    if (at == producers_.end()) {
      return hear_at_worker(outgoing.peer, std::move(outgoing.frames), false);
    }
    network_.carry(std::move(outgoing.frames), [this, p = at->get()](Received received) {
      if (p->dead) return;
      p->core.on_collector_message(std::move(received), network_.now());
      turn_producer(*p);
    });
  });
}

void World::turn_worker(SimulatedWorker& worker) try {
  if (!worker.gone()) work(worker);
} catch (const Crash&) {
  lost_by_chance_ = true;
  kill(worker);
}

void World::work(SimulatedWorker& worker) {
  worker.fuse.step();
  worker.core.advance(network_.now());
  for (FetchCommand& command : worker.core.take_commands()) {
    worker.fuse.step();
    if (const auto* order = std::get_if<Fetch>(&command)) fetch(worker, *order);
    if (std::holds_alternative<CloseJob>(command)) worker.running.clear();
  }
  for (auto& outgoing : worker.core.take_outgoing()) {
    worker.fuse.step();
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
  // One that left, and whose Bye is lost, is to the producer what one is that died.
  lost_by_chance_ = lost_by_chance_ || (worker.over && plan_.lost > 0);
}

void World::send_results(SimulatedWorker& worker) {
  while (auto batch = worker.core.next_results(0, network_.now())) {
    worker.fuse.step();
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
  const bool transient = network_.chance(plan_.transient_failure);
  // What must not be requested twice fails so only when it was not sent at all.
  if (!transient || !is_unsafe(plan_, task.index)) count(task);
  if (plan_.poison.contains(task.index)) {
    network_.after(network_.between(1'000, 500'000), [this, w = &worker] { kill(*w); });
    return;
  }
  Fetched fetched;
  fetched.job = order.job;
  fetched.result.index = task.index;
  fetched.result.attempts = task.attempt;
  fetched.result.url = task.url;
  fetched.result.task_hash = task.hash;
  fetched.transient = transient;
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
  const auto safe = collector_.safe_since(task.index);
  if (safe && network_.now() - *safe > kKnown) ++counts_.wasted;
  if (++requests_[{task.index, task.attempt}] > 1) ++counts_.duplicates;
}

// Who asks when the collector has left asks in vain.
bool World::is_over(const SimulatedProducer& producer) const {
  const Duration silence = network_.now() - producer.core.collector_heard();
  return producer.dead || producer.fenced() || producer.core.over(network_.now()) ||
         (collector_.over() && silence > kPeerTimeout &&
          network_.now() - *collector_.over_since() > kPeerTimeout);
}

bool World::everybody_is_over() const {
  if (!collector_.over()) return false;
  for (const auto& producer : producers_) {
    if (!is_over(*producer)) return false;
  }
  for (const auto& worker : workers_) {
    if (!worker->gone()) return false;
  }
  return true;
}

}  // namespace fetchline
