// What a collector with a journal says, and when: nothing that could be forgotten.
#include <gtest/gtest.h>

#include "tests/collector/journal_scene.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Indices = std::vector<Index>;

TEST(CollectorCoreJournal, GrantsNoEpochBeforeItIsSaved) {
  JournalScene scene;
  scene.open();
  EXPECT_TRUE(scene.core.save_due(scene.now));
  scene.turn(5s);
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  const JobControl* control = scene.core.unsaved_control();
  ASSERT_NE(control, nullptr);
  EXPECT_EQ(control->job, job_number(1));
  EXPECT_EQ(control->log, JournalScene::kLog);
  EXPECT_EQ(control->epochs, (std::map<std::uint64_t, Epoch>{{Scene::kNonce, Epoch{1}}}));
  scene.core.set_control_saved();
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").log, JournalScene::kLog);
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
}

TEST(CollectorCoreJournal, TellsNoTotalBeforeItIsSaved) {
  JournalScene scene;
  scene.begin();
  scene.says("producer", End{5});
  EXPECT_TRUE(scene.core.save_due(scene.now));
  scene.open();
  scene.turn(1s);
  EXPECT_EQ(scene.heard_one<State>("producer").total, std::nullopt) << "but all the rest";
  ASSERT_NE(scene.core.unsaved_control(), nullptr);
  EXPECT_EQ(scene.core.unsaved_control()->total, 5U);
  scene.core.set_control_saved();
  scene.turn(1s);
  EXPECT_EQ(scene.heard_one<State>("producer").total, 5U);
  scene.says("producer", End{5});
  EXPECT_EQ(scene.core.unsaved_control(), nullptr) << "a repetition changes nothing";
}

TEST(CollectorCoreJournal, LetsNoRecordOutBeforeTheJournalKnowsItsJob) {
  JournalScene scene;
  scene.open();
  scene.results("a", {0});
  EXPECT_FALSE(scene.core.has_next());
  EXPECT_EQ(scene.take_all(), Indices{});
  scene.core.set_control_saved();
  EXPECT_TRUE(scene.core.has_next());
  EXPECT_EQ(scene.take_all(), Indices{0});
}

TEST(CollectorCoreJournal, AcknowledgesWhatIsSaved) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {2, 5});
  EXPECT_TRUE(scene.accepted("a").empty());
  scene.core.set_saved(5, {.segment = 1, .length = 1});
  EXPECT_EQ(scene.accepted("a"), set_of({{5, 5}}));
  scene.core.set_saved(2, {.segment = 1, .length = 1});
  EXPECT_EQ(scene.accepted("a"), set_of({{2, 2}}));
}

TEST(CollectorCoreJournal, AcknowledgesWhatIsWritten) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {0, 1, 3});
  EXPECT_EQ(scene.take_all(), (Indices{0, 1}));
  EXPECT_TRUE(scene.accepted("a").empty()) << "taken is not written";
  EXPECT_TRUE(scene.heard<State>("producer").empty());
  scene.core.set_written();
  EXPECT_EQ(scene.core.written(), 2U);
  EXPECT_EQ(scene.accepted("a"), set_of({{0, 1}}));
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<State>("producer").watermark, 2U);
}

TEST(CollectorCoreJournal, AcknowledgesACopyWhenItIsSafeAndNotBefore) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {0, 3});
  scene.results("b", {3});
  scene.results("b", {0});
  (void)scene.take_all();
  scene.results("a", {0, 3});
  EXPECT_TRUE(scene.accepted("a").empty());
  EXPECT_TRUE(scene.accepted("b").empty());
  scene.core.set_written();
  (void)scene.save();
  EXPECT_EQ(scene.accepted("a"), set_of({{0, 0}, {3, 3}}));
  EXPECT_EQ(scene.accepted("b"), set_of({{0, 0}, {3, 3}}));
  scene.results("c", {0, 3});
  EXPECT_EQ(scene.accepted("c"), set_of({{0, 0}, {3, 3}}));
}

TEST(CollectorCoreJournal, SavesWhatHasWaitedAMoment) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {0, 2, 1, 4});
  EXPECT_EQ(scene.take_all(), (Indices{0, 1, 2}));
  EXPECT_EQ(scene.core.next_save_due(), scene.now + CollectorCore::kSaveAfter);
  scene.now += CollectorCore::kSaveAfter - 1ns;
  EXPECT_FALSE(scene.core.save_due(scene.now));
  scene.now += 1ns;
  EXPECT_TRUE(scene.core.save_due(scene.now));
  EXPECT_EQ(scene.save(), Indices{4}) << "what has left needs no journal";
  EXPECT_FALSE(scene.core.save_due(scene.now));
  EXPECT_EQ(scene.core.next_save_due(), std::nullopt);
}

TEST(CollectorCoreJournal, SavesAtOnceWhatIsMuchOrWhenItDrains) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {2}, CollectorCore::kSaveBytes);
  EXPECT_TRUE(scene.core.save_due(scene.now));
  (void)scene.save();
  scene.results("a", {3});
  EXPECT_FALSE(scene.core.save_due(scene.now));
  scene.core.drain(scene.now);
  EXPECT_TRUE(scene.core.save_due(scene.now));
}

TEST(CollectorCoreJournal, NeverTellsLessThanItToldBefore) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {1, 2, 5});
  (void)scene.save();
  scene.open();
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").committed, set_of({{1, 2}, {5, 5}}));
  scene.results("a", {0});
  EXPECT_EQ(scene.take_all(), (Indices{0, 1, 2})) << "and the disk is full";
  scene.open();
  scene.turn();
  State state = scene.heard_one<State>("producer");
  EXPECT_EQ(state.watermark, 0U);
  EXPECT_EQ(state.committed, set_of({{1, 2}, {5, 5}}));
  scene.results("b", {2, 0});
  EXPECT_EQ(scene.accepted("b"), set_of({{2, 2}})) << "saved before it was taken";
  scene.core.set_written();
  scene.open();
  scene.turn();
  state = scene.heard_one<State>("producer");
  EXPECT_EQ(state.watermark, 3U);
  EXPECT_EQ(state.committed, set_of({{5, 5}}));
}

TEST(CollectorCoreJournal, HandsOutFromWhatIsWrittenAndNotFromWhatIsTaken) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {0, 1});
  (void)scene.take_all();
  scene.open();
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").dispatch_limit, 1000U);
  scene.core.set_written();
  scene.turn(2ms);
  EXPECT_EQ(scene.heard_one<State>("producer").dispatch_limit, 1002U);
}

// While a disk is full senders repeat what they have, each few seconds, and much may leave through
// an output that is not full.
TEST(CollectorCoreJournal, AcknowledgesOnceWhateverWasRepeatedWhileTheDiskWasFull) {
  JournalScene scene;
  scene.begin();
  for (int round = 0; round < 2000; ++round) scene.results("a", {3, 1, 7});
  (void)scene.save();
  EXPECT_EQ(scene.accepted("a"), set_of({{1, 1}, {3, 3}, {7, 7}}));
}

TEST(CollectorCoreJournal, SavesWhatWaitsAfterMuchHasLeftWithoutTheJournal) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {900});
  for (Index index = 0; index < 900; ++index) scene.results("a", {index});
  EXPECT_EQ(scene.take_all().size(), 901U);
  EXPECT_EQ(scene.save(), Indices{});
  scene.results("a", {950});
  EXPECT_EQ(scene.save(), Indices{950});
}

TEST(CollectorCoreJournal, ACommitThatComesAfterAResultHasLeftChangesNothing) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {0, 1});
  const auto saving = scene.core.take_unsaved();
  EXPECT_EQ(saving.size(), 2U);
  EXPECT_EQ(scene.take_all(), (Indices{0, 1})) << "the journal's disk is full";
  scene.core.set_saved(0, {.segment = 1, .length = 1});
  scene.core.set_saved(1, {.segment = 1, .length = 1});
  EXPECT_EQ(scene.core.reorder().saved_bytes(), 0U);
  scene.core.set_written();
  EXPECT_EQ(scene.accepted("a"), set_of({{0, 1}}));
}

TEST(CollectorCoreJournal, SaysThatItIsDoneAsBefore) {
  JournalScene scene;
  scene.begin();
  scene.results("a", {1, 0});
  scene.says("producer", End{2});
  scene.core.set_control_saved();
  EXPECT_EQ(scene.take_all(), (Indices{0, 1}));
  EXPECT_TRUE(scene.core.complete());
  scene.core.set_done(scene.now);
  scene.turn();
  EXPECT_EQ(total_of(scene.heard_one<Done>("producer").counts), 2U);
  EXPECT_EQ(total_of(scene.heard_one<Done>("a").counts), 2U);
}

// What must not be requested twice.

TEST(CollectorCoreBegin, IsGrantedWhenItIsSaved) {
  JournalScene scene;
  scene.begin();
  scene.says("producer", Begin{30});
  scene.open();
  scene.turn(1s);
  EXPECT_EQ(scene.heard_one<State>("producer").begun_below, 0U);
  ASSERT_NE(scene.core.unsaved_control(), nullptr);
  EXPECT_EQ(scene.core.unsaved_control()->begun_below, 30U);
  scene.core.set_control_saved();
  scene.turn();
  const State state = scene.heard_one<State>("producer");
  EXPECT_EQ(state.begun_below, 30U);
  EXPECT_EQ(state.begun_before, 0U);
  scene.says("producer", Begin{20});
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
  scene.turn(1s);
  EXPECT_EQ(scene.heard_one<State>("producer").begun_below, 30U) << "said again";
}

TEST(CollectorCoreBegin, IsGrantedAtOnceWithoutAJournal) {
  Scene scene;
  scene.open();
  scene.turn();
  (void)scene.heard<State>("producer");
  scene.says("producer", Begin{30});
  scene.turn();
  EXPECT_EQ(scene.heard_one<State>("producer").begun_below, 30U);
}

TEST(CollectorCoreBegin, IsOfTheNewestProducerAndWithinTheWindow) {
  JournalScene scene;
  scene.begin();
  scene.says("producer", Begin{30}, Epoch{7});
  scene.says("producer", Begin{1001});
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
  EXPECT_EQ(scene.core.dropped_messages(), 2U);
}

TEST(CollectorCoreBegin, IsToldToTheNextProducerAsWhatMayHaveBeenHandedOut) {
  JournalScene scene;
  scene.begin();
  scene.says("producer", Begin{30});
  scene.save();
  scene.turn();
  (void)scene.heard<State>("producer");
  scene.begin(78);
  scene.says("producer", Begin{40}, Epoch{2});
  scene.save();
  scene.says("producer", Open{78}, Epoch{2});
  scene.turn();
  const State state = scene.heard<State>("producer").back();
  EXPECT_EQ(state.begun_before, 30U);
  EXPECT_EQ(state.begun_below, 40U);
}

TEST(CollectorCoreBegin, IsTakenBackByAProducerThatLeaves) {
  JournalScene scene;
  scene.begin();
  scene.says("producer", Begin{30});
  scene.save();
  scene.says("producer", Bye{.begun_below = 31});
  scene.says("producer", Bye{});
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
  scene.says("producer", Bye{.begun_below = 4}, Epoch{9});
  EXPECT_EQ(scene.core.unsaved_control(), nullptr);
  scene.says("producer", Bye{.begun_below = 4});
  ASSERT_NE(scene.core.unsaved_control(), nullptr);
  EXPECT_EQ(scene.core.unsaved_control()->begun_below, 4U);
}

}  // namespace
}  // namespace fetchline
