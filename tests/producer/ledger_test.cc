#include "producer/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

constexpr WorkerId kOne{1}, kTwo{2};
constexpr Index kAll = kMaxIndex;
const Instant kStart = Instant(1000s);

Ledger with_tasks(Index count) {
  Ledger ledger;
  for (Index i = 0; i < count; ++i) {
    Task task;
    task.url = "http://h/" + std::to_string(i);
    ledger.add(std::move(task));
  }
  return ledger;
}

// Leases up to `count` tasks to the worker, all in one message.
Indices lease(Ledger& ledger, WorkerId worker, std::size_t count, std::uint64_t message = 1) {
  Indices indices;
  while (indices.size() < count && ledger.next_ready(kAll)) {
    indices.push_back(ledger.lease(kAll, {worker, message}).index);
  }
  return indices;
}

Indices rest(Ledger& ledger) { return lease(ledger, WorkerId{99}, 1'000'000); }

TEST(Ledger, GivesTasksTheirIndexInOrder) {
  Ledger ledger = with_tasks(2);
  EXPECT_EQ(ledger.next_index(), 2U);
  EXPECT_EQ(ledger.base(), 0U);
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).url, "http://h/0");
  EXPECT_EQ(ledger.lease(kAll, {kOne, 1}).url, "http://h/1");
}

TEST(Ledger, HandsOutTheLowestIndexFirst) {
  Ledger ledger = with_tasks(6);
  EXPECT_EQ(lease(ledger, kOne, 4), (Indices{0, 1, 2, 3}));
  ledger.returned(kOne, 2);
  ledger.returned(kOne, 1);
  EXPECT_EQ(rest(ledger), (Indices{1, 2, 4, 5}));
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
}

TEST(Ledger, HandsOutNothingFromTheLimitOn) {
  Ledger ledger = with_tasks(6);
  EXPECT_EQ(ledger.ready(0), 0U);
  EXPECT_EQ(ledger.next_ready(0), std::nullopt);
  EXPECT_EQ(ledger.ready(4), 4U);
  EXPECT_EQ(ledger.ready(100), 6U);
  (void)lease(ledger, kOne, 5);
  ledger.returned(kOne, 3);
  EXPECT_EQ(ledger.ready(3), 0U);
  EXPECT_EQ(ledger.next_ready(3), std::nullopt);
  EXPECT_EQ(ledger.ready(4), 1U);
  EXPECT_EQ(ledger.next_ready(4), 3U);
  EXPECT_EQ(ledger.ready(6), 2U);
}

TEST(Ledger, KnowsWhoHoldsWhat) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 2);
  (void)lease(ledger, kTwo, 1);
  EXPECT_EQ(ledger.leased(), 3U);
  EXPECT_EQ(ledger.leased_to(kOne), 2U);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U);
  EXPECT_EQ(ledger.leased_to(WorkerId{3}), 0U);
  ASSERT_NE(ledger.leased_task(kTwo, 2), nullptr);
  EXPECT_EQ(ledger.leased_task(kTwo, 2)->url, "http://h/2");
  EXPECT_EQ(ledger.leased_task(kOne, 2), nullptr);
  EXPECT_EQ(ledger.leased_task(kOne, 3), nullptr);
}

TEST(Ledger, CountsWhatWasNeverHandedOut) {
  Ledger ledger = with_tasks(3);
  const std::size_t bytes = ledger.unsent_bytes();
  EXPECT_EQ(ledger.unsent(), 3U);
  EXPECT_GE(bytes, 3 * sizeof(Task));
  (void)lease(ledger, kOne, 1);
  EXPECT_EQ(ledger.unsent(), 2U);
  EXPECT_LT(ledger.unsent_bytes(), bytes);
  ledger.returned(kOne, 0);
  EXPECT_EQ(ledger.unsent(), 2U) << "it was handed out once";
  (void)rest(ledger);
  EXPECT_EQ(ledger.unsent(), 0U);
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
}

TEST(Ledger, KeepsADeliveredTaskFromBeingHandedOut) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  EXPECT_TRUE(ledger.delivered(kOne, 0));
  EXPECT_EQ(ledger.leased(), 1U);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
  EXPECT_EQ(ledger.base(), 0U) << "only the collector's word makes it safe";
}

TEST(Ledger, BelievesOnlyTheHolder) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 1);
  EXPECT_FALSE(ledger.delivered(kTwo, 0));
  EXPECT_FALSE(ledger.returned(kTwo, 0));
  EXPECT_FALSE(ledger.retry_at(kTwo, 0, kStart));
  EXPECT_FALSE(ledger.delivered(kOne, 1)) << "never handed out";
  EXPECT_FALSE(ledger.delivered(kOne, 2)) << "not there at all";
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_TRUE(ledger.delivered(kOne, 0));
  EXPECT_FALSE(ledger.delivered(kOne, 0)) << "told already";
}

TEST(Ledger, HandsOutARetryWhenItsTimeHasCome) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  EXPECT_TRUE(ledger.retry_at(kOne, 1, kStart + 2s));
  EXPECT_TRUE(ledger.retry_at(kOne, 0, kStart + 4s));
  EXPECT_EQ(ledger.waiting(), 2U);
  EXPECT_EQ(ledger.leased(), 1U);
  EXPECT_EQ(ledger.next_due(), kStart + 2s);
  ledger.release_due(kStart + 1999ms);
  EXPECT_EQ(ledger.next_ready(kAll), std::nullopt);
  ledger.release_due(kStart + 2s);
  EXPECT_EQ(ledger.next_ready(kAll), 1U);
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).attempt, 2U);
  ledger.release_due(kStart + 60s);
  EXPECT_EQ(rest(ledger), (Indices{0}));
  EXPECT_EQ(ledger.next_due(), std::nullopt);
}

TEST(Ledger, HandsOutAllRetriesThatAreDueAtOnce) {
  Ledger ledger = with_tasks(4);
  (void)lease(ledger, kOne, 4);
  for (const Index index : {3U, 0U, 2U, 1U}) ledger.retry_at(kOne, index, kStart);
  ledger.commit(set_of({{2, 2}}));  // one of several with the same time
  ledger.release_due(kStart);
  EXPECT_EQ(rest(ledger), (Indices{0, 1, 3}));
}

TEST(Ledger, CountsAttemptsOnlyWhenOneFailed) {
  Ledger ledger = with_tasks(1);
  (void)lease(ledger, kOne, 1);
  ledger.returned(kOne, 0);
  (void)lease(ledger, kOne, 1);
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.lease(kAll, {kTwo, 1}).attempt, 1U);
}

TEST(Ledger, HandsOutAgainWhatALostMessageCarried) {
  Ledger ledger = with_tasks(4);
  (void)lease(ledger, kOne, 2, 1);
  (void)lease(ledger, kOne, 1, 2);
  (void)lease(ledger, kTwo, 1, 1);
  ledger.message_lost(kOne, 1);
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U);
  EXPECT_EQ(rest(ledger), (Indices{0, 1}));
}

TEST(Ledger, HandsOutAgainWhatALostWorkerHeldOrDelivered) {
  Ledger ledger = with_tasks(6);
  (void)lease(ledger, kOne, 4);
  (void)lease(ledger, kTwo, 1);
  ledger.delivered(kOne, 0);
  ledger.delivered(kOne, 1);
  ledger.retry_at(kOne, 2, kStart + 5s);
  ledger.commit(set_of({{1, 1}}));
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.leased_to(kOne), 0U);
  EXPECT_EQ(rest(ledger), (Indices{0, 3, 5})) << "1 is safe, 2 waits, 4 is another's";
  EXPECT_EQ(ledger.waiting(), 1U);
}

TEST(Ledger, HandsOutOnceWhatALostWorkerHadGivenBack) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  ledger.returned(kOne, 0);
  EXPECT_EQ(lease(ledger, kTwo, 1), (Indices{0}));
  ledger.worker_lost(kOne);
  EXPECT_EQ(ledger.leased_to(kTwo), 1U) << "it is another's by now";
  EXPECT_EQ(rest(ledger), (Indices{1}));
}

TEST(Ledger, KeepsWhatADepartedWorkerDelivered) {
  Ledger ledger = with_tasks(2);
  (void)lease(ledger, kOne, 2);
  ledger.delivered(kOne, 0);
  ledger.worker_left(kOne);
  EXPECT_EQ(rest(ledger), (Indices{1}));
}

TEST(Ledger, ForgetsWhatIsBelowTheWatermark) {
  Ledger ledger = with_tasks(5);
  (void)lease(ledger, kOne, 3);
  ledger.delivered(kOne, 0);
  ledger.retry_at(kOne, 1, kStart);
  ledger.commit_below(4);  // delivered, delayed, leased and never handed out
  EXPECT_EQ(ledger.base(), 4U);
  EXPECT_EQ(ledger.leased(), 0U);
  EXPECT_EQ(ledger.waiting(), 0U);
  EXPECT_EQ(ledger.unsent(), 1U);
  EXPECT_EQ(rest(ledger), (Indices{4}));
  ledger.commit_below(2);  // overtaken
  EXPECT_EQ(ledger.base(), 4U);
}

TEST(Ledger, TakesAWatermarkBeyondWhatItHas) {
  Ledger ledger = with_tasks(2);
  ledger.commit_below(1000);
  EXPECT_EQ(ledger.base(), 2U);
  EXPECT_EQ(ledger.unsent(), 0U);
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.add(Task());
  EXPECT_EQ(rest(ledger), (Indices{})) << "it is out before it is read";
}

TEST(Ledger, PassesOverWhatWasCommittedBeforeItWasEverHandedOut) {
  Ledger ledger = with_tasks(6);
  ledger.commit(set_of({{1, 2}, {4, 4}, {100, 200}}));
  EXPECT_EQ(ledger.base(), 0U);
  EXPECT_EQ(rest(ledger), (Indices{0, 3, 5}));
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.commit(set_of({{0, 0}}));
  EXPECT_EQ(ledger.base(), 3U);
}

TEST(Ledger, DoesNotHandOutAgainWhatIsCommittedWhileReady) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  ledger.worker_lost(kOne);
  ledger.commit(set_of({{1, 1}}));
  EXPECT_EQ(ledger.ready(kAll), 2U);
  EXPECT_EQ(rest(ledger), (Indices{0, 2}));
}

TEST(Ledger, LetsNothingUndoACommit) {
  Ledger ledger = with_tasks(3);
  (void)lease(ledger, kOne, 3);
  ledger.commit(set_of({{1, 2}}));
  EXPECT_EQ(ledger.leased_to(kOne), 1U);
  EXPECT_FALSE(ledger.returned(kOne, 1));
  EXPECT_FALSE(ledger.retry_at(kOne, 2, kStart));
  ledger.message_lost(kOne, 1);
  ledger.worker_lost(kOne);
  ledger.commit(set_of({{1, 2}}));
  EXPECT_EQ(rest(ledger), (Indices{0}));
}

TEST(Ledger, GivesAFaultyLineToWhoeverDeliversItAndToNoWorker) {
  Ledger ledger;
  ledger.add(Task());
  Task place;
  place.url = "nonsense";
  ledger.add(std::move(place), "line 2: no scheme");
  ledger.add(Task());
  EXPECT_FALSE(ledger.take_decided(kAll)) << "a task is before it";
  (void)lease(ledger, kOne, 1);
  EXPECT_FALSE(ledger.take_decided(1));
  auto faulty = ledger.take_decided(2);
  ASSERT_TRUE(faulty);
  EXPECT_EQ(faulty->task.index, 1U);
  EXPECT_EQ(faulty->task.url, "nonsense");
  EXPECT_EQ(faulty->why, "line 2: no scheme");
  EXPECT_FALSE(ledger.take_decided(kAll)) << "each is taken once";
  EXPECT_EQ(rest(ledger), (Indices{2}));
  EXPECT_EQ(ledger.unsent_bytes(), 0U);
  ledger.commit_below(3);
  EXPECT_EQ(ledger.base(), 3U);
}

TEST(Ledger, DoesNotDeliverAFaultyLineThatIsCommitted) {
  Ledger ledger;
  ledger.add(Task(), "fault");
  ledger.add(Task(), "fault");
  ledger.commit(set_of({{0, 0}}));
  EXPECT_EQ(ledger.take_decided(kAll)->task.index, 1U);
  EXPECT_FALSE(ledger.take_decided(kAll));
}

// The same, told by a model that is too simple to be wrong.
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
