// What operators read of a producer.
#include "producer/producer_view.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

ProducerStatus with_head(std::string_view place) {
  ProducerStatus status;
  status.phase = "running";
  status.tasks_read = 10;
  auto& head = status.head.emplace();
  head.index = 7;
  head.place = place;
  head.url = "http://h/7";
  return status;
}

TEST(WhySlow, NamesTheTaskThatAllOthersWaitFor) {
  ProducerStatus status = with_head("running");
  status.head->worker = "box:12";
  status.head->attempt = 2;
  status.head->age = 12'340ms;
  EXPECT_EQ(why_slow(status), "task 7 (http://h/7, attempt 2) runs at box:12 for 12.3 s");
  status = with_head("waiting");
  status.head->due = 600ms;
  EXPECT_EQ(why_slow(status), "task 7 (http://h/7, attempt 1) is tried again in 0.6 s");
  EXPECT_EQ(why_slow(with_head("ready")), "task 7 (http://h/7, attempt 1) waits for a free worker");
  ProducerStatus held = with_head("ready");
  held.dispatch_limit = 7;
  EXPECT_EQ(why_slow(held),
            "task 7 (http://h/7, attempt 1) waits until the collector wants it: its disk or who "
            "reads its output holds it");
  EXPECT_EQ(
      why_slow(with_head("doubtful")),
      "task 7 (http://h/7, attempt 1) may have been sent by an earlier run: waiting for a worker "
      "that has it");
  EXPECT_EQ(why_slow(with_head("suspect")),
            "task 7 (http://h/7, attempt 1) waits for a worker of its own");
  EXPECT_EQ(why_slow(with_head("delivered")),
            "task 7 (http://h/7, attempt 1) is on its way to the collector");
  status = with_head("delivered");
  status.head->url.clear();
  EXPECT_EQ(why_slow(status), "task 7 waits to be put out");
}

TEST(WhySlow, NamesWhoIsNotThereFirst) {
  ProducerStatus status = with_head("ready");
  status.missing = {"a worker at tcp://h:1", "somebody else"};
  EXPECT_EQ(why_slow(status), "waiting for a worker at tcp://h:1");
}

TEST(WhySlow, TellsWaitingForInputFromWaitingForNothing) {
  ProducerStatus status;
  status.phase = "running";
  EXPECT_EQ(why_slow(status), "waiting for input");
  status.input_ended = true;
  EXPECT_EQ(why_slow(status), "");
  status = with_head("ready");
  status.stopping = true;
  EXPECT_EQ(why_slow(status), "stopping: what workers have is finished, the rest is not begun");
  status = with_head("ready");
  status.phase = "comparing";
  EXPECT_EQ(why_slow(status), "comparing the input with that of before");
  status.phase = "done";
  EXPECT_EQ(why_slow(status), "");
}

TEST(WorkLeft, IsWhatIsExpectedAtThePresentRate) {
  ProducerStatus status;
  status.tasks_read = 100;
  status.finished = 40;
  ProgressMoment progress;
  EXPECT_EQ(work_left_seconds(status, progress), std::nullopt) << "no rate yet";
  progress.per_second = 2;
  EXPECT_EQ(work_left_seconds(status, progress), 30);
  status.tasks_expected = 1'040;
  EXPECT_EQ(work_left_seconds(status, progress), 500);
}

TEST(WorkLeft, IsJudgedByTheWholeTimeWhileOneSlowTaskHoldsUpTheOthers) {
  ProducerStatus status;
  status.tasks_read = 100;
  status.finished = 40;
  ProgressMoment progress;
  progress.sample.done = 40;
  progress.elapsed = 20s;
  EXPECT_EQ(work_left_seconds(status, progress), 30);
}

TEST(WorkLeft, IsNoneWhenAllIsOut) { EXPECT_EQ(work_left_seconds({}, {}), 0); }

TEST(ProducerView, SaysNullOfWhatNobodyKnows) {
  Observation seen;
  show(ProducerStatus{}, seen);
  const Json& producer = seen.roles.at("producer");
  EXPECT_TRUE(producer.at("head").is_null());
  EXPECT_TRUE(producer.at("tasks_expected").is_null());
  EXPECT_TRUE(producer.at("dispatch_limit").is_null());
  EXPECT_EQ(seen.metrics.text().find("tasks_expected"), std::string::npos);
}

}  // namespace
}  // namespace fetchline
