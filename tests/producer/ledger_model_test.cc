// The ledger, told by a model that is too simple to be wrong.
#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "tests/producer/ledger_scene.h"

namespace fetchline {
namespace {

class Model {
 public:
  enum class Phase { ready, delayed, leased, delivered, committed };
  struct Entry {
    Phase phase = Phase::ready;
    WorkerId holder{};
    std::uint64_t message = 0;
    std::optional<std::pair<WorkerId, std::uint64_t>> second;
    std::uint32_t attempt = 1;
    Instant due{};

    [[nodiscard]] bool held_by(WorkerId worker) const {
      return holder == worker || (second && second->first == worker);
    }
    [[nodiscard]] std::uint64_t message_to(WorkerId worker) const {
      return holder == worker ? message : second->second;
    }
    bool let_go(WorkerId worker) {  // true when nobody is left
      if (!second) return true;
      if (holder == worker) std::tie(holder, message) = *second;
      second.reset();
      return false;
    }
  };
  std::vector<Entry> entries;
  std::set<Index> known;  // as committed, read or not

  void add() {
    Entry& entry = entries.emplace_back();
    if (known.contains(entries.size() - 1)) entry.phase = Phase::committed;
  }
  void release(Phase from, WorkerId worker, std::optional<std::uint64_t> message = {}) {
    for (Entry& entry : entries) {
      if (entry.phase != from || !entry.held_by(worker)) continue;
      if (!message || entry.message_to(worker) == *message) {
        if (entry.let_go(worker)) entry.phase = Phase::ready;
      }
    }
  }
  [[nodiscard]] std::optional<Index> next_ready(Index limit) const {
    for (Index i = 0; i < std::min<Index>(limit, entries.size()); ++i) {
      if (entries[i].phase == Phase::ready) return i;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t count(Phase phase, std::optional<WorkerId> holder = {}) const {
    return static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(), [&](const Entry& entry) {
          return entry.phase == phase && (!holder || entry.held_by(*holder));
        }));
  }
  [[nodiscard]] Index base() const {
    const auto open = std::find_if(entries.begin(), entries.end(), [](const Entry& entry) {
      return entry.phase != Phase::committed;
    });
    return static_cast<Index>(open - entries.begin());
  }
};

class LedgerAndModel {
 public:
  explicit LedgerAndModel(std::uint32_t seed) : random_(seed) {}

  void step() {
    now_ += std::chrono::milliseconds(random_() % 100);
    switch (random_() % 13) {
      case 0:
      case 1:
        model_.add();
        return ledger_.add(Task());
      case 2:
      case 3:
      case 4:
        return lease();
      case 5:
      case 6:
      case 7:
        return report();
      case 8:
        return lose_message();
      case 9:
        return lose_worker();
      case 10:
        return commit();
      case 11:
        return lease_second();
      default:
        return release();
    }
  }

  void compare() {
    using Phase = Model::Phase;
    ASSERT_EQ(ledger_.next_index(), model_.entries.size());
    ASSERT_EQ(ledger_.base(), model_.base());
    ASSERT_EQ(ledger_.leased(),
              model_.count(Phase::leased, kOne) + model_.count(Phase::leased, kTwo));
    ASSERT_EQ(ledger_.held().size(), model_.count(Phase::leased));
    ASSERT_EQ(ledger_.waiting(), model_.count(Phase::delayed));
    for (const WorkerId worker : {kOne, kTwo}) {
      ASSERT_EQ(ledger_.leased_to(worker), model_.count(Phase::leased, worker));
    }
    for (const Index limit : {any_index(), kAll}) {
      ASSERT_EQ(ledger_.next_ready(limit), model_.next_ready(limit));
      ASSERT_EQ(ledger_.ready(limit) > 0 || !ledger_.next_ready(limit), true);
    }
  }

 private:
  Index any_index() { return random_() % (model_.entries.size() + 2); }
  WorkerId any_worker() { return random_() % 2 == 0 ? kOne : kTwo; }

  void lease() {
    const Index limit = random_() % 2 == 0 ? kAll : any_index();
    const auto index = model_.next_ready(limit);
    if (!index) return;
    const WorkerId worker = any_worker();
    const std::uint64_t message = random_() % 3;
    auto& entry = model_.entries[*index];
    const Task& task = ledger_.lease(limit, {worker, message});
    EXPECT_EQ(task.index, *index);
    EXPECT_EQ(task.attempt, entry.attempt);
    entry.phase = Model::Phase::leased;
    entry.holder = worker;
    entry.message = message;
  }
  void report() {
    const Index index = any_index();
    const WorkerId worker = any_worker();
    const bool held = index < model_.entries.size() &&
                      model_.entries[index].phase == Model::Phase::leased &&
                      model_.entries[index].held_by(worker);
    const Instant due = now_ + std::chrono::milliseconds(random_() % 300);
    const auto verdict = random_() % 3;
    const bool believed = verdict == 0   ? ledger_.delivered(worker, index)
                          : verdict == 1 ? ledger_.returned(worker, index)
                                         : ledger_.retry_at(worker, index, due);
    EXPECT_EQ(believed, held);
    if (!held) return;
    auto& entry = model_.entries[index];
    if (verdict == 0) {
      entry.holder = worker;
      entry.second.reset();
    } else if (!entry.let_go(worker)) {
      return;
    }
    entry.phase = verdict == 0   ? Model::Phase::delivered
                  : verdict == 1 ? Model::Phase::ready
                                 : Model::Phase::delayed;
    entry.due = due;
    if (verdict == 2) ++entry.attempt;
  }
  void lease_second() {
    for (const Ledger::Held& held : ledger_.held()) {
      if (held.twice || random_() % 2 == 0) continue;
      const WorkerId other = held.lease.worker == kOne ? kTwo : kOne;
      const std::uint64_t message = random_() % 3;
      model_.entries[held.task->index].second = {other, message};
      (void)ledger_.lease_second(held.task->index, {other, message});
      return;
    }
  }
  void lose_message() {
    const WorkerId worker = any_worker();
    const std::uint64_t message = random_() % 3;
    ledger_.message_lost(worker, message);
    model_.release(Model::Phase::leased, worker, message);
  }
  void lose_worker() {
    const WorkerId worker = any_worker();
    const bool left = random_() % 2 == 0;
    left ? ledger_.worker_left(worker) : ledger_.worker_lost(worker);
    model_.release(Model::Phase::leased, worker);
    if (!left) model_.release(Model::Phase::delivered, worker);
  }
  void commit() {
    IndexSet set;
    for (int i = 0; i < 3; ++i) set.insert(any_index());
    ledger_.commit(set);
    const Index watermark = random_() % 4 == 0 ? any_index() / 2 : 0;
    ledger_.commit_below(watermark);
    for (Index i = 0; i < model_.entries.size() + 2; ++i) {
      if (i >= watermark && !set.contains(i)) continue;
      model_.known.insert(i);
      if (i >= model_.entries.size()) continue;
      model_.entries[i].phase = Model::Phase::committed;
      model_.entries[i].second.reset();
    }
  }
  void release() {
    ledger_.release_due(now_);
    for (auto& entry : model_.entries) {
      if (entry.phase == Model::Phase::delayed && entry.due <= now_) {
        entry.phase = Model::Phase::ready;
      }
    }
  }

  std::mt19937 random_;
  Instant now_ = kStart;
  Ledger ledger_;
  Model model_;
};

TEST(Ledger, AgreesWithASimpleModelWhateverHappens) {
  const auto seed = std::random_device()();
  for (std::uint32_t round = 0; round < 100; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed + round));
    LedgerAndModel both(seed + round);
    for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
      both.step();
      both.compare();
    }
  }
}

}  // namespace
}  // namespace fetchline
