#include "collector/next_stage_core.h"

#include <gtest/gtest.h>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

class NextStage : public testing::Test {
 protected:
  static constexpr Index kRecords = 10;

  template <class T>
  void hears(const T& message, std::uint8_t job = 1) {
    core_.on_message({job == 0 ? JobId{} : job_number(job), Epoch{}, message}, now_);
  }
  void wants(std::uint64_t from, std::uint64_t credit = 1000) { hears(Want{from, credit}); }
  void stage(Index records, bool complete = false) {
    core_.set_stage({.job = job_number(1), .records = records, .complete = complete});
  }
  // Records 0, 1, … emit "0", "1", …, each so many bytes with its end.
  void read(std::size_t line_bytes = 2) {
    while (core_.wants_record()) {
      std::string line = std::to_string(core_.next_record());
      line.resize(line_bytes - 1, 'x');
      core_.add({line});
    }
  }
  std::vector<Lines> said() {
    std::vector<Lines> all;
    while (auto frames = core_.next_message(now_)) {
      all.push_back(message_of<Lines>(std::move(*frames)));
    }
    return all;
  }
  Lines one() {
    auto all = said();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Lines{} : all.front();
  }
  using Texts = std::vector<std::string>;

  Instant now_{std::chrono::hours(1)};
  NextStageCore core_{BootId{7}};
};

TEST_F(NextStage, IsToldThatSomebodyIsThereBeforeTheJobIsKnown) {
  const Lines hello = one();
  EXPECT_EQ(hello.boot, BootId{7});
  EXPECT_TRUE(hello.lines.empty());
  EXPECT_TRUE(said().empty()) << "once a second";
  now_ += NextStageCore::kRepeat;
  EXPECT_EQ(said().size(), 1U);
}

TEST_F(NextStage, GetsNothingItHasNotAskedForAndNothingThatIsNotSafe) {
  stage(3);
  EXPECT_FALSE(core_.wants_record());
  wants(0);
  read();
  EXPECT_EQ(core_.next_record(), 3U);
  EXPECT_EQ(one().lines, (Texts{"0", "1", "2"}));
  EXPECT_FALSE(core_.wants_record());
}

TEST_F(NextStage, GetsWhatItHasRoomForAndOneLineInAnyCase) {
  stage(kRecords);
  wants(0, 45);
  read(20);
  EXPECT_EQ(one().lines.size(), 2U);
  wants(2, 1);
  EXPECT_EQ(one().lines.size(), 1U);
  wants(3, 0);
  EXPECT_TRUE(said().empty());
}

TEST_F(NextStage, CannotMakeTheSenderReadWithoutEnd) {
  stage(1'000'000);
  wants(0, ~std::uint64_t{0});
  for (int i = 0; i < 100; ++i) {
    read(1000);
    (void)said();
  }
  const std::size_t most = NextStageCore::kMostCreditBytes + NextStageCore::kReadAheadBytes;
  EXPECT_LE(core_.next_record() * 1000, most + 2000);
}

TEST_F(NextStage, IsSentAgainAfterASecondWhatDidNotArrive) {
  stage(3);
  wants(0);
  read();
  EXPECT_EQ(one().first, 0U);
  wants(0);
  EXPECT_TRUE(said().empty()) << "it may be under way";
  now_ += NextStageCore::kRepeat;
  EXPECT_EQ(one().lines, Texts{})
      << "a sign of life: whoever is stopped is not sent the same again";
  wants(0);
  EXPECT_EQ(one().lines.size(), 3U);
}

TEST_F(NextStage, IsReadToFromTheFirstRecordWhenItIsANewOne) {
  stage(kRecords, true);
  wants(0);
  read();
  (void)said();
  wants(8);
  EXPECT_FALSE(core_.take_rewind());
  wants(0);
  EXPECT_TRUE(core_.take_rewind());
  EXPECT_EQ(core_.next_record(), 0U);
  read();
  const Lines lines = one();
  EXPECT_EQ(lines.first, 0U);
  EXPECT_EQ(lines.lines.size(), kRecords);
  EXPECT_EQ(lines.total, kRecords);
}

TEST_F(NextStage, GetsTheRestFromASenderThatBeganAnew) {
  stage(kRecords);
  wants(7);
  read();
  const Lines lines = one();
  EXPECT_EQ(lines.first, 7U);
  EXPECT_EQ(lines.lines, (Texts{"7", "8", "9"}));
}

TEST_F(NextStage, IsToldTheTotalWhenTheLastRecordIsReadOfACompleteStage) {
  stage(0, true);
  EXPECT_EQ(one().total, std::nullopt) << "not asked, not read";
  wants(0);
  EXPECT_EQ(one().total, 0U);
}

TEST_F(NextStage, WantsTheRecordOfItsPositionAndNeverAnEarlierOne) {
  stage(6);
  EXPECT_EQ(core_.wanted_record(), 0U);
  wants(0);
  core_.add({"a", "b"});
  core_.add({});
  core_.add({"c"});
  EXPECT_EQ(core_.wanted_record(), 0U);
  wants(1);
  EXPECT_EQ(core_.wanted_record(), 0U);
  wants(2);
  EXPECT_EQ(core_.wanted_record(), 2U);
  wants(3);
  EXPECT_EQ(core_.wanted_record(), 3U);
  core_.add({});
  EXPECT_EQ(core_.wanted_record(), 4U) << "what emits nothing holds nothing up";
  wants(0);
  EXPECT_EQ(core_.wanted_record(), 4U);
}

TEST_F(NextStage, HasEnoughOnlyOfACompleteStageAndIsToldBye) {
  stage(kRecords);
  hears(Enough{});
  EXPECT_FALSE(core_.over());
  stage(kRecords, true);
  hears(Enough{}, 2);
  EXPECT_FALSE(core_.over()) << "of another job";
  hears(Enough{});
  EXPECT_TRUE(core_.over());
  EXPECT_FALSE(core_.next_message(now_)) << "that could still be forgotten";
  core_.leave();
  auto frames = core_.next_message(now_);
  ASSERT_TRUE(frames);
  (void)message_of<Bye>(std::move(*frames));
  EXPECT_FALSE(core_.next_message(now_ + NextStageCore::kRepeat));
  hears(Enough{});
  EXPECT_TRUE(core_.next_message(now_)) << "it did not hear";
}

TEST_F(NextStage, OfAnotherJobIsNotHeardAndMayRefuseForEver) {
  stage(kRecords);
  const Instant before = core_.heard();
  hears(Want{3, 100}, 2);
  EXPECT_EQ(core_.heard(), before);
  EXPECT_EQ(core_.dropped_messages(), 1U);
  hears(Refused{Refused::Reason::busy});
  EXPECT_FALSE(core_.is_busy()) << "it may not have noticed yet that another sender is gone";
  hears(Refused{Refused::Reason::busy});
  EXPECT_TRUE(core_.is_busy());
  EXPECT_FALSE(core_.other_job());
  wants(0);
  EXPECT_FALSE(core_.is_busy());
  hears(Refused{Refused::Reason::other_input}, 2);
  EXPECT_EQ(core_.other_job(), job_number(2));
}

TEST_F(NextStage, IsToldAgainWhatDidNotLeave) {
  stage(2, true);
  wants(0);
  read();
  EXPECT_EQ(one().lines.size(), 2U);
  core_.not_sent();
  const Lines again = one();
  EXPECT_EQ(again.lines.size(), 2U);
  EXPECT_EQ(again.total, 2U);
}

}  // namespace
}  // namespace fetchline
