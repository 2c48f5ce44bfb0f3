// What becomes of tasks that were in workers that died.
#include <gtest/gtest.h>

#include "tests/producer/scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

std::string name_of(int number) { return "w" + std::to_string(number); }

// Tasks 0 and 1 have been in two workers that died; nobody is left.
struct Suspects : Scene {
  Suspects() {
    add_tasks(2);
    open();
    for (const int number : {1, 2}) {
      worker(name_of(number), 2);
      turn();
      lose(*this);
    }
  }
};

TEST(ProducerSuspects, RunAloneOneAfterTheOther) {
  Suspects scene;
  scene.add_tasks(5);
  StubWorker& only = scene.worker("only", 10, 10);
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0}));
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0})) << "and nothing else before it is reported";
  scene.delivers(only, 0);
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0, 1}));
  scene.delivers(only, 1);
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0, 1, 2, 3, 4, 5, 6}));
}

TEST(ProducerSuspects, LeaveHalfOfTheWorkersToTheOthers) {
  Suspects scene;
  scene.add_tasks(4);
  StubWorker& a = scene.worker("a", 4);
  StubWorker& b = scene.worker("b", 4);
  scene.turn();
  StubWorker& alone = a.tasks.size() == 1 ? a : b;
  StubWorker& other = a.tasks.size() == 1 ? b : a;
  EXPECT_EQ(alone.indices(), (Indices{0}));
  EXPECT_EQ(other.indices(), (Indices{2, 3, 4, 5}));
}

TEST(ProducerSuspects, WaitForAWorkerToBeEmpty) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& first = scene.worker("w1", 1);
  StubWorker& busy = scene.worker("busy", 1);
  scene.turn();
  const Index killer = first.tasks[0].index;
  const Index innocent = busy.tasks[0].index;
  lose(scene, {&busy});
  scene.worker("w2", 1);
  scene.turn();
  lose(scene, {&busy});
  scene.add_tasks(1);
  busy.says.slots = 2;
  scene.beat(busy);
  scene.turn();
  EXPECT_EQ(busy.indices(), (Indices{innocent})) << "it is being emptied";
  scene.delivers(busy, innocent);
  scene.turn();
  EXPECT_EQ(busy.indices(), (Indices{innocent, killer}));
}

TEST(ProducerSuspects, EndAbandonedAfterAThirdDeathAlone) {
  Suspects scene;
  StubWorker& third = scene.worker("w3", 2);
  scene.turn();
  kill(scene, third);
  scene.turn();
  const auto results = scene.results();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].index, 0U);
  EXPECT_EQ(results[0].outcome, Outcome::abandoned);
  EXPECT_EQ(results[0].errormsg, "its worker died 3 times: w1, w2, w3");
  EXPECT_EQ(results[0].url, "http://h/0");
  EXPECT_EQ(results[0].attempts, 3U);
  StubWorker& next = scene.worker("w4", 2);
  scene.turn();
  EXPECT_EQ(next.indices(), (Indices{1})) << "the one beside it is re-run";
}

TEST(ProducerSuspects, AreGivenTimeWhenTheirWorkerMayOnlyBeUnheard) {
  Suspects scene;
  StubWorker& third = scene.worker("w3", 2);
  scene.turn();
  const std::size_t before = third.messages.size();
  scene.pass(14, {});
  EXPECT_TRUE(scene.results().empty());
  EXPECT_EQ(third.messages.size() - before, 13U) << "it is spoken to, to learn whether it is there";
  scene.beat(third);
  scene.pass(14, {});
  EXPECT_TRUE(scene.results().empty());
  scene.pass(1, {});
  scene.turn();
  EXPECT_EQ(scene.results().size(), 1U) << "for so long no worker that lives is unheard";
}

// It was silent, and may still run what went to others then.
TEST(ProducerSuspects, AreNotProvenGuiltyWhereSomethingElseMayRun) {
  Scene scene;
  scene.open();
  StubWorker& back = scene.worker("back", 2);
  back.says.draining = true;
  scene.turn();
  lose(scene);
  scene.beat(back);
  scene.add_tasks(1);
  for (const int number : {1, 2}) {
    scene.worker(name_of(number), 2);
    scene.turn();
    lose(scene, {&back});
  }
  back.says.draining = false;
  scene.beat(back);
  scene.turn();
  ASSERT_EQ(back.indices(), Indices{0});
  kill(scene, back);
  StubWorker& next = scene.worker("next", 2);
  scene.turn();
  EXPECT_TRUE(scene.results().empty());
  EXPECT_EQ(next.indices(), Indices{0}) << "alone again";
  kill(scene, next);
  scene.turn();
  ASSERT_EQ(scene.results().size(), 1U) << "nothing else ran there";
}

TEST(ProducerSuspects, GoToNobodyWhoMayBeDeadAlready) {
  Suspects scene;
  StubWorker& quiet = scene.worker("quiet", 2);
  scene.turn(2s);
  EXPECT_TRUE(quiet.tasks.empty());
  scene.beat(quiet);
  scene.turn();
  EXPECT_EQ(quiet.indices(), Indices{0});
}

TEST(ProducerSuspects, AreNoneWhereASessionWasLost) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  for (int i = 0; i < 4; ++i) {
    scene.turn();
    scene.beat(worker);
    worker.job = JobId{};
    worker.epoch = Epoch{};
    worker.says.received.clear();
    worker.tasks.clear();
    scene.beat(worker);
  }
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST(ProducerSuspects, AreNoneWhenTheWorkersWereOnlySilent) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  for (int i = 0; i < 4; ++i) {
    scene.turn();
    lose(scene);
    scene.beat(worker);
  }
  worker.tasks.clear();
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

TEST(ProducerSuspects, AreNoneOfThoseThatWaitedInTheQueue) {
  Scene scene;
  scene.add_tasks(3);
  scene.open();
  for (const int number : {1, 2}) {
    StubWorker& worker = scene.worker(name_of(number), 1, 2);
    scene.turn();
    worker.says.queued = set_of({{1, 2}});
    scene.beat(worker);
    lose(scene);
  }
  StubWorker& a = scene.worker("a", 2);
  StubWorker& b = scene.worker("b", 2);
  scene.turn();
  StubWorker& alone = a.tasks.size() == 1 ? a : b;
  StubWorker& other = a.tasks.size() == 1 ? b : a;
  EXPECT_EQ(alone.indices(), (Indices{0}));
  EXPECT_EQ(other.indices(), (Indices{1, 2}));
}

TEST(ProducerSuspects, DoNotBlockTheHeadWhereNobodyHasRoom) {
  Suspects scene;
  StubWorker& only = scene.worker("only", 2);
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0}));
  only.says.slots = 0;
  scene.delivers(only, 0);
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0})) << "1 would not be started";
  scene.collector_says(scene.next_state(1));
  scene.turn();
  EXPECT_EQ(only.indices(), (Indices{0, 1})) << "it is the head now";
}

// A session that the worker lost, a new epoch.

TEST(ProducerSuspects, AreNoneAfterNewEpochs) {
  Scene scene;
  scene.add_tasks(2);
  scene.open();
  StubWorker& worker = scene.worker("a", 2);
  for (std::uint32_t epoch = 2; epoch < 6; ++epoch) {
    scene.turn();
    scene.collector_says(scene.next_state(0), Epoch{epoch});
    worker.says.received.clear();
    worker.tasks.clear();
    scene.beat(worker);
  }
  scene.turn();
  EXPECT_EQ(worker.indices(), (Indices{0, 1}));
}

}  // namespace
}  // namespace fetchline
