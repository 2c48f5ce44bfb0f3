#include "producer/stage_before_core.h"

#include <gtest/gtest.h>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

class StageBefore : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;

  void says(std::uint64_t first, Texts lines, std::optional<std::uint64_t> total = {}) {
    says_as("a", 1, 1, first, std::move(lines), total);
  }
  void says_as(const PeerId& peer, std::uint64_t boot, std::uint8_t job, std::uint64_t first = 0,
               Texts lines = {}, std::optional<std::uint64_t> total = {}) {
    const Lines message{
        .boot = BootId{boot}, .first = first, .lines = std::move(lines), .total = total};
    core_.on_message(peer, {job == 0 ? JobId{} : job_number(job), Epoch{}, message}, now_);
  }
  // What goes to a peer in this turn, decoded.
  std::vector<std::pair<PeerId, Received>> turn(Duration later = Duration::zero()) {
    now_ += later;
    core_.advance(now_);
    std::vector<std::pair<PeerId, Received>> all;
    for (auto& outgoing : core_.take_outgoing()) {
      all.emplace_back(outgoing.peer, received_of(std::move(outgoing.frames)));
    }
    return all;
  }
  Want want(Duration later = Duration::zero()) {
    const auto all = turn(later);
    EXPECT_EQ(all.size(), 1U);
    const auto* message = all.empty() ? nullptr : std::get_if<Want>(&all[0].second.message);
    EXPECT_NE(message, nullptr);
    return message == nullptr ? Want{} : *message;
  }
  std::string text() {
    std::string all;
    for (std::string part = core_.take_text(); !part.empty(); part = core_.take_text()) all += part;
    return all;
  }

  Instant now_{std::chrono::hours(1)};
  StageBeforeCore core_;
};

TEST_F(StageBefore, IsAskedFromTheStartAsSoonAsItIsThere) {
  EXPECT_TRUE(turn(std::chrono::seconds(5)).empty());
  says_as("a", 1, 0);
  const Want first = want();
  EXPECT_EQ(first.from, 0U);
  EXPECT_EQ(first.credit_bytes, StageBeforeCore::kBufferBytes);
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(want(StageBeforeCore::kRepeat).from, 0U);
}

TEST_F(StageBefore, GivesEachLineOnceAndInOrder) {
  says(0, {"a", "b"});
  says(3, {"d"});
  says(0, {"a", "b", "c"});
  says(1, {"b"});
  EXPECT_EQ(text(), "a\nb\nc\n");
  EXPECT_EQ(core_.position(), 3U);
  (void)turn();
  EXPECT_EQ(want(StageBeforeCore::kRepeat).from, 3U);
}

TEST_F(StageBefore, EndsAtItsTotal) {
  says(0, {"a"}, 2);
  EXPECT_EQ(text(), "a\n");
  EXPECT_FALSE(core_.ended());
  says(1, {"b"}, 2);
  EXPECT_FALSE(core_.ended()) << "not taken yet";
  EXPECT_EQ(text(), "b\n");
  EXPECT_TRUE(core_.ended());
}

TEST_F(StageBefore, MayHaveNoLineAtAll) {
  says(0, {}, 0);
  EXPECT_TRUE(core_.ended());
}

TEST_F(StageBefore, IsToldOfNewsSoonAndNotAtOnce) {
  says(0, {});
  (void)want();
  says(0, {"a"});
  EXPECT_TRUE(core_.has_news());
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(want(StageBeforeCore::kWantInterval).from, 1U);
  EXPECT_FALSE(core_.has_news());
}

TEST_F(StageBefore, FillsTheBufferAndNotMore) {
  const std::string line(60'000, 'x');
  for (std::uint64_t i = 0; i < 20; ++i) says(i, {line});
  EXPECT_EQ(core_.position(), 5U) << "one line beyond the room, no second";
  EXPECT_EQ(want().credit_bytes, 0U);
  EXPECT_TRUE(turn(StageBeforeCore::kWantInterval).empty());
  (void)core_.take_text();
  EXPECT_FALSE(core_.has_news()) << "not for a little room";
  (void)text();
  EXPECT_EQ(want(StageBeforeCore::kWantInterval).credit_bytes, StageBeforeCore::kBufferBytes);
}

TEST_F(StageBefore, OfAnotherJobIsRefusedWithTheNameOfTheFirst) {
  says(0, {"a"});
  (void)turn();
  now_ += std::chrono::hours(1);
  says_as("b", 2, 2, 1, {"x"});
  const auto all = turn();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].first, "b");
  EXPECT_EQ(all[0].second.job, job_number(1));
  EXPECT_EQ(std::get<Refused>(all[0].second.message).reason, Refused::Reason::other_input);
  EXPECT_EQ(text(), "a\n");
}

TEST_F(StageBefore, HasOneSenderUntilThatIsGoneOrSilent) {
  says(0, {"a"});
  (void)turn();
  says_as("b", 2, 1, 1, {"b"});
  auto all = turn();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].first, "b");
  EXPECT_EQ(std::get<Refused>(all[0].second.message).reason, Refused::Reason::busy);
  EXPECT_EQ(all[1].first, "a") << "asked whether it is there";
  core_.unreachable("a");
  says_as("b", 2, 1, 1, {"b"});
  EXPECT_EQ(text(), "a\nb\n");
  now_ += StageBeforeCore::kSilence;
  says_as("c", 3, 1, 2, {"c"});
  EXPECT_EQ(text(), "c\n");
}

TEST_F(StageBefore, IsTheSameSenderOverANewConnection) {
  says_as("a", 1, 1, 0, {"a"});
  (void)turn();
  says_as("a2", 1, 1, 1, {"b"});
  const auto all = turn();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].first, "a2");
  EXPECT_EQ(text(), "a\nb\n");
}

TEST_F(StageBefore, ThatBecameShorterIsNoticed) {
  says(0, {"a", "b", "c"});
  EXPECT_FALSE(core_.shorter_total());
  says_as("b", 1, 1, 1, {}, 2);
  EXPECT_EQ(core_.shorter_total(), 2U);
  EXPECT_FALSE(core_.ended());
}

TEST_F(StageBefore, IsToldThatItIsEnoughUntilItSaysBye) {
  says(0, {"a"}, 1);
  (void)turn();
  core_.set_done(now_);
  EXPECT_FALSE(core_.over(now_));
  for (int i = 0; i < 2; ++i) {
    const auto all = turn(i * StageBeforeCore::kRepeat);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Enough>(all[0].second.message));
  }
  core_.on_message("a", {job_number(1), Epoch{}, Bye{}}, now_);
  EXPECT_TRUE(core_.over(now_));
}

TEST_F(StageBefore, IsWaitedForAWhileToSayBye) {
  says(0, {"a"}, 1);
  core_.set_done(now_);
  core_.unreachable("a");
  EXPECT_FALSE(core_.over(now_ + StageBeforeCore::kRepeat)) << "it may be starting again";
  says_as("b", 2, 1);
  const auto all = turn();
  ASSERT_FALSE(all.empty());
  EXPECT_TRUE(std::holds_alternative<Enough>(all[0].second.message));
  EXPECT_TRUE(core_.over(now_ + StageBeforeCore::kFarewell));
}

}  // namespace
}  // namespace fetchline
