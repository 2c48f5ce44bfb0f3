// A collector that goes on where another stopped, and a producer that does.
#include <gtest/gtest.h>

#include "tests/collector/journal_scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;
using Hashes = std::vector<std::uint64_t>;

constexpr std::uint64_t kOldNonce = 41, kNewNonce = 42;

std::uint64_t hash_of(Index index) { return 1000 + index; }

// Ten records are out, 12, 13 and 17 stand in the journal, two producers were there before.
CollectorCore::Recovered left_behind(std::optional<Index> total = {}) {
  CollectorCore::Recovered recovered;
  recovered.control.job = job_number(3);
  recovered.control.log = 5;
  recovered.control.epochs = {{99, Epoch{1}}, {kOldNonce, Epoch{2}}};
  recovered.control.total = total;
  recovered.watermark = 10;
  recovered.counts[0] = 10;
  return recovered;
}

struct ResumedScene : JournalScene {
  explicit ResumedScene(std::optional<Index> total = {}) : JournalScene(left_behind(total)) {
    for (const Index index : {12, 13, 17})
      core.restore(index, hash_of(index), {.segment = 1, .length = 1});
  }
  // A new process, of a job that it thought of itself.
  void open_to_resume(std::uint64_t nonce = kNewNonce, Epoch after = Epoch{2}) {
    says("producer", Open{.nonce = nonce, .resume = true}, after, job_number(200));
    (void)save();
    turn(2ms);
  }
  void recap(Index first, const Hashes& hashes, Epoch epoch = Epoch{3}) {
    says("producer", Recap{first, hashes}, epoch, job_number(3));
  }
  // What the collector does with them, whose file knows the ten that are out.
  void compare() {
    for (const Recap& recap : core.take_recaps()) {
      Hashes known;
      for (Index i = recap.first; i < 10 && known.size() < recap.hashes.size(); ++i)
        known.push_back(hash_of(i));
      core.compare(recap, known, now);
    }
    turn(2ms);
  }
  static Hashes hashes(Index first, Index end) {
    Hashes all;
    for (Index index = first; index < end; ++index) all.push_back(hash_of(index));
    return all;
  }
};

TEST(CollectorCoreResume, KnowsItsJobAndWhatIsThereOfIt) {
  ResumedScene scene;
  EXPECT_EQ(scene.core.job(), job_number(3));
  EXPECT_EQ(scene.core.watermark(), 10U);
  EXPECT_EQ(scene.core.written(), 10U);
  EXPECT_EQ(total_of(scene.core.counts()), 10U);
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
}

TEST(CollectorCoreResume, AProducerThatLivesGoesOnInItsEpochAndItsLog) {
  ResumedScene scene;
  scene.says("producer", Open{kOldNonce}, Epoch{2}, job_number(3));
  scene.turn();
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(scene.last_epoch, Epoch{2});
  EXPECT_EQ(state.log, 5U);
  EXPECT_EQ(state.nonce, kOldNonce);
  EXPECT_EQ(state.watermark, 10U);
  EXPECT_EQ(state.committed, set_of({{12, 13}, {17, 17}}));
  EXPECT_EQ(state.compare_to, 0U) << "it did not resume";
}

// Found by the model: its epoch was granted, the comparison was not over, the collector died.
TEST(CollectorCoreResume, ComparesAgainWhatAnEarlierCollectorMayNotHaveCompared) {
  ResumedScene scene;
  scene.says("producer", Open{.nonce = kOldNonce, .resume = true}, Epoch{2}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").compare_to, 18U);
  EXPECT_EQ(scene.last_epoch, Epoch{2});
}

TEST(CollectorCoreResume, FencesAProducerThatWasFencedBefore) {
  ResumedScene scene;
  scene.says("zombie", Open{99}, Epoch{1}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("zombie").reason, Refused::Reason::fenced);
  EXPECT_TRUE(scene.heard<State>("zombie").empty());
}

TEST(CollectorCoreResume, AcknowledgesWhatAnEarlierCollectorHadToo) {
  ResumedScene scene;
  for (const Index index : {4, 12, 17, 15}) {
    Results message{WorkerId{1}, {}};
    message.results.emplace_back().index = index;
    scene.says("a", message, Epoch{2}, job_number(3));
  }
  EXPECT_EQ(scene.accepted("a"), set_of({{4, 4}, {12, 12}, {17, 17}}));
  EXPECT_EQ(scene.save(), Indices{15});
}

TEST(CollectorCoreResume, GivesANewProducerTheJobAndTheNextEpoch) {
  ResumedScene scene;
  scene.says("producer", Open{.nonce = kNewNonce, .resume = true}, Epoch{2}, job_number(200));
  scene.turn(1s);
  EXPECT_TRUE(scene.heard<State>("producer").empty()) << "not before it is saved";
  ASSERT_NE(scene.core.unsaved_control(), nullptr);
  EXPECT_EQ(scene.core.unsaved_control()->epochs.size(), 3U);
  (void)scene.save();
  scene.turn();
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(scene.last_epoch, Epoch{3});
  EXPECT_EQ(state.nonce, kNewNonce);
  EXPECT_EQ(state.compare_to, 18U);
  EXPECT_EQ(state.compared, 0U);
  scene.says("zombie", Open{kOldNonce}, Epoch{2}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("zombie").reason, Refused::Reason::fenced);
}

// A first Open may come late, from a producer that is gone.
TEST(CollectorCoreResume, AnOpenThatDoesNotNameTheEpochItWouldEndEndsNone) {
  ResumedScene scene;
  for (const Epoch outdated : {Epoch{}, Epoch{1}, Epoch{3}}) {
    scene.says("late", Open{.nonce = 7, .resume = true}, outdated, job_number(200));
    scene.turn();
    EXPECT_EQ(scene.heard_one<Refused>("late").reason, Refused::Reason::outdated);
    EXPECT_EQ(scene.last_epoch, Epoch{2}) << "the one to name";
    EXPECT_EQ(scene.core.unsaved_control(), nullptr);
  }
  scene.says("producer", Open{kOldNonce}, Epoch{2}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").nonce, kOldNonce) << "not fenced";
}

TEST(CollectorCoreResume, ANewProducerThatDoesNotResumeIsRefused) {
  ResumedScene scene;
  scene.says("producer", Open{kNewNonce}, Epoch{}, job_number(200));
  scene.turn();
  EXPECT_EQ(scene.heard_one<Refused>("producer").reason, Refused::Reason::busy);
}

TEST(CollectorCoreResume, WithNothingToResumeTheJobIsTheProducers) {
  JournalScene scene;
  scene.says("producer", Open{.nonce = kNewNonce, .resume = true}, Epoch{}, job_number(200));
  (void)scene.save();
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").compare_to, 0U);
  EXPECT_EQ(scene.core.job(), job_number(200));
}

TEST(CollectorCoreResume, ComparesWhatItHasAndLetsTheRestBe) {
  ResumedScene scene;
  scene.open_to_resume();
  Hashes hashes = ResumedScene::hashes(0, 20);
  for (const Index unknown : {10, 11, 14, 18}) hashes[unknown] = 5;
  scene.recap(0, hashes);
  (void)scene.heard<State>("producer");
  scene.compare();
  EXPECT_EQ(scene.heard_one<State>("producer").compared, 18U);
  EXPECT_TRUE(scene.heard<Refused>("producer").empty());
}

// What waits for room on the disk is in no file yet.
TEST(CollectorCoreResume, ComparesWhatWasTakenAndIsNotWritten) {
  ResumedScene scene;
  scene.open_to_resume();
  Results message{WorkerId{1}, {}};
  for (const Index index : {10, 11}) {
    Result& result = message.results.emplace_back();
    result.index = index;
    result.task_hash = hash_of(index);
  }
  scene.says("a", message, Epoch{3}, job_number(3));
  (void)scene.core.take_next();
  (void)scene.core.take_next();
  Hashes hashes = ResumedScene::hashes(0, 18);
  hashes[11] = 5;
  scene.recap(0, hashes);
  scene.compare();
  EXPECT_EQ(scene.heard_one<Refused>("producer").index, 11U);
}

TEST(CollectorCoreResume, ZeroIsNotCompared) {
  ResumedScene scene;
  scene.open_to_resume();
  scene.recap(0, Hashes(18, 0));
  (void)scene.heard<State>("producer");
  scene.compare();
  EXPECT_EQ(scene.heard_one<State>("producer").compared, 18U);
}

TEST(CollectorCoreResume, NamesTheFirstTaskThatDiffersAndSaysItForEver) {
  for (const Index differs : {0, 3, 9, 12, 17}) {
    ResumedScene scene;
    scene.open_to_resume();
    Hashes hashes = ResumedScene::hashes(0, 18);
    for (Index index = differs; index < 18; ++index) hashes[index] = 5;
    scene.recap(0, hashes);
    (void)scene.heard<State>("producer");
    scene.compare();
    for (int times = 0; times < 3; ++times) {
      const Refused refused = scene.heard_one<Refused>("producer");
      EXPECT_EQ(refused.reason, Refused::Reason::other_input);
      EXPECT_EQ(refused.index, differs);
      EXPECT_TRUE(scene.heard<State>("producer").empty());
      scene.open_to_resume();
    }
  }
}

TEST(CollectorCoreResume, HasNothingToWaitForFromAProducerThatLeftBeforeItHandedOutAnything) {
  ResumedScene scene;
  scene.open_to_resume();
  scene.core.drain(scene.now);
  EXPECT_FALSE(scene.core.drained(scene.now));
  scene.says("producer", Bye{}, Epoch{3}, job_number(3));
  EXPECT_TRUE(scene.core.drained(scene.now)) << "after drain()";
  ResumedScene other;
  other.open_to_resume();
  other.says("producer", Bye{}, Epoch{3}, job_number(3));
  other.core.drain(other.now);
  EXPECT_TRUE(other.core.drained(other.now)) << "before drain()";
}

TEST(CollectorCoreResume, AnotherProducerMayComeAfterOneWithAnotherInput) {
  ResumedScene scene;
  scene.open_to_resume();
  scene.recap(0, {5});
  scene.compare();
  (void)scene.heard<Refused>("producer");
  scene.open_to_resume(43, Epoch{3});
  EXPECT_TRUE(scene.heard<Refused>("producer").empty());
  scene.recap(0, ResumedScene::hashes(0, 18), Epoch{4});
  (void)scene.heard<State>("producer");
  scene.compare();
  EXPECT_EQ(scene.heard_one<State>("producer").compared, 18U);
}

TEST(CollectorCoreResume, LostRepeatedAndReorderedRecapsDoNoHarm) {
  ResumedScene scene;
  scene.open_to_resume();
  const auto recap = [&](Index first, Index end) {
    scene.recap(first, ResumedScene::hashes(first, end));
    scene.compare();
    (void)scene.heard<State>("producer");
    scene.open_to_resume();
    return scene.heard_one<State>("producer").compared;
  };
  EXPECT_EQ(recap(4, 8), 0U) << "the one before it was lost";
  EXPECT_EQ(recap(0, 4), 4U);
  EXPECT_EQ(recap(0, 4), 4U);
  EXPECT_EQ(recap(8, 12), 4U);
  EXPECT_EQ(recap(2, 8), 8U) << "they may overlap";
  EXPECT_EQ(recap(8, 18), 18U);
  EXPECT_EQ(recap(0, 18), 18U);
}

TEST(CollectorCoreResume, ARecapOfAnOlderEpochIsNotLookedAt) {
  ResumedScene scene;
  scene.open_to_resume();
  scene.recap(0, {5, 5, 5}, Epoch{2});
  scene.recap(0, {5, 5, 5}, Epoch{4});
  EXPECT_TRUE(scene.core.take_recaps().empty());
}

TEST(CollectorCoreResume, HoldsNotMoreRecapsThanItCanUse) {
  ResumedScene scene;
  scene.open_to_resume();
  for (int i = 0; i < 1000; ++i) scene.recap(0, {1});
  EXPECT_LE(scene.core.take_recaps().size(), 64U);
}

TEST(CollectorCoreResume, GoesOnBehindWhatIsOut) {
  ResumedScene scene;
  scene.open_to_resume();
  Results message{WorkerId{1}, {}};
  for (const Index index : {11, 10}) message.results.emplace_back().index = index;
  scene.says("a", message, Epoch{3}, job_number(3));
  Indices out;
  while (scene.core.has_next()) {
    if (scene.core.head_place() != nullptr) {
      Result loaded;
      loaded.index = scene.core.watermark();
      scene.core.load_head(loaded);
    }
    out.push_back(scene.core.take_next()->index);
  }
  EXPECT_EQ(out, (Indices{10, 11, 12, 13}));
  EXPECT_EQ(total_of(scene.core.counts()), 14U);
}

TEST(CollectorCoreResume, RemembersTheTotalAndIsCompleteWhenAllIsOut) {
  ResumedScene scene(18);
  EXPECT_EQ(scene.core.total(), 18U);
  EXPECT_FALSE(scene.core.complete());
  JournalScene finished(left_behind(10));
  EXPECT_TRUE(finished.core.complete()) << "only the manifest lacked";
}

TEST(CollectorCoreResume, ForgetsWhatStandsInTheJournalBeyondTheTotal) {
  ResumedScene scene(13);
  EXPECT_EQ(scene.core.reorder().held(), 1U);
  EXPECT_EQ(scene.core.reorder().end(), 13U);
  scene.open_to_resume();
  EXPECT_EQ(scene.heard_one<State>("producer").compare_to, 13U);
}

// It held hashes no longer, and had shown before that its input is the same.
TEST(CollectorCoreResume, AFinishedOutputFindsNoDifferenceInAnInputThatIsNotSaid) {
  CollectorCore::Recovered finished = left_behind(10);
  finished.control.epochs.clear();
  finished.chain = 4711;
  JournalScene scene(finished);
  scene.core.set_done(scene.now);
  scene.says("producer", Open{.nonce = kOldNonce, .resume = true}, Epoch{2}, job_number(3));
  scene.turn();
  const State state = scene.heard<State>("producer").at(0);
  EXPECT_TRUE(state.whole);
  EXPECT_EQ(state.compare_to, 10U);
  scene.says("producer", Recap{0, Hashes(10, 0)}, Epoch{}, job_number(3));
  for (const Recap& recap : scene.core.take_recaps()) scene.core.compare(recap, {}, scene.now);
  scene.turn(2ms);
  EXPECT_TRUE(scene.heard<Refused>("producer").empty());
  EXPECT_FALSE(scene.heard<Done>("producer").empty());
}

TEST(CollectorCoreResume, AFinishedOutputIsNotComparedWithAnInputThatIsGone) {
  CollectorCore::Recovered finished = left_behind(10);
  finished.control.epochs.clear();
  finished.chain = 4711;
  JournalScene scene(finished);
  scene.core.set_done(scene.now);
  Open open{.nonce = kOldNonce, .resume = true};
  scene.says("producer", open, Epoch{2}, job_number(3));
  scene.turn();
  EXPECT_EQ(scene.heard<State>("producer").at(0).compare_to, 10U);
  open.input_gone = true;
  scene.says("producer", open, Epoch{2}, job_number(3));
  scene.turn();
  EXPECT_FALSE(scene.heard<Done>("producer").empty());
}

TEST(CollectorCoreResume, TheInputOfOneProducerIsNotHeldAgainstTheNextWhenAllIsDone) {
  ResumedScene scene(18);
  scene.open_to_resume();
  scene.recap(0, {5});
  scene.compare();
  (void)scene.heard<Refused>("producer");
  scene.core.set_done(scene.now);
  scene.says("next", Open{.nonce = 43, .resume = true}, Epoch{3}, job_number(200));
  scene.turn();
  EXPECT_TRUE(scene.heard<Refused>("next").empty());
  EXPECT_FALSE(scene.heard<Done>("next").empty());
}

TEST(CollectorCoreResume, NorAgainstTheOneBeforeItThatStillAsks) {
  ResumedScene scene(18);
  scene.open_to_resume();
  scene.recap(0, {5});
  scene.compare();
  scene.core.set_done(scene.now);
  scene.turn();
  (void)scene.heard<Refused>("producer");
  scene.says("before", Open{.nonce = kOldNonce, .resume = true}, Epoch{2}, job_number(3));
  EXPECT_EQ(scene.heard_one<Refused>("before").reason, Refused::Reason::fenced);
  scene.turn(1s);
  EXPECT_EQ(scene.heard_one<Refused>("producer").reason, Refused::Reason::other_input);
  EXPECT_TRUE(scene.heard<Refused>("before").empty());
}

TEST(CollectorCoreResume, SaysDoneToAProducerThatResumesAFinishedJob) {
  ResumedScene scene(18);
  scene.core.set_done(scene.now);
  scene.says("producer", Open{.nonce = kNewNonce, .resume = true}, Epoch{}, job_number(200));
  scene.collect();
  EXPECT_EQ(total_of(scene.heard_one<Done>("producer").counts), 10U);
  scene.says("other", Open{kNewNonce}, Epoch{}, job_number(200));
  EXPECT_EQ(scene.heard_one<Refused>("other").reason, Refused::Reason::busy);
}

}  // namespace
}  // namespace fetchline
