// How a fetcher runs transfers: connections, races, failover, cancelling, closing.
#include <set>

#include "tests/integration/fetcher_bench.h"

namespace fetchline {
namespace {

TEST(FetcherRun, KeepsOneConnectionForRequestsInARow) {
  const Origin origin;
  Bench bench;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(bench.get(origin.url("/" + std::to_string(i))).result.outcome, Outcome::ok);
  }
  EXPECT_EQ(origin.requests(), 20U);
  EXPECT_EQ(origin.connections(), 1U);
}

TEST(FetcherRun, FindsTheConnectionAgainHoweverManyItIsMadeFor) {
  const Origin origin;
  Bench bench({}, 4096);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(bench.get(origin.url("/" + std::to_string(i))).result.outcome, Outcome::ok);
  }
  EXPECT_EQ(origin.connections(), 1U);
}

TEST(FetcherRun, KeepsNoMoreIdleConnectionsThanItMay) {
  const Origin origin;
  Bench bench({}, 4);
  for (Index i = 0; i < 20; ++i) bench.fetch(origin.url("/?delay=50"), i);
  bench.take(20);
  EXPECT_EQ(origin.max_simultaneous(), 20U);
  EXPECT_TRUE(comes_true([&] { return origin.open_connections() <= 4; }));
}

TEST(FetcherRun, RunsAThousandTransfersAtOnce) {
  const Origin origin;
  constexpr std::size_t kCount = 1000;
  Bench bench({}, kCount);
  for (Index i = 0; i < kCount; ++i) {
    bench.fetch(origin.url("/" + std::to_string(i) + "?delay=500"), i);
  }
  std::set<Index> seen;
  for (const Fetched& fetched : bench.take(kCount)) {
    EXPECT_EQ(fetched.result.outcome, Outcome::ok) << fetched.result.errormsg;
    EXPECT_EQ(fetched.result.body, "/" + std::to_string(fetched.result.index) + "?delay=500");
    seen.insert(fetched.result.index);
  }
  EXPECT_EQ(seen.size(), kCount);
  EXPECT_GT(origin.max_simultaneous(), kCount / 2);
}

TEST(FetcherRun, TakesOneLargeBodyAfterTheOtherWhenThereIsMemoryForOne) {
  const Origin origin;
  constexpr std::size_t kCount = 8;
  constexpr std::size_t kSize = std::size_t{6} << 20;
  Bench bench({}, 64, 0);
  const auto target = [](Index i) {
    const std::string size = std::to_string(kSize);
    return "/" + std::to_string(i) + (i % 2 == 0 ? "?size=" : "?chunked=1&size=") + size;
  };
  for (Index i = 0; i < kCount; ++i) bench.fetch(origin.url(target(i)), i);
  std::size_t most = 0;
  std::vector<Fetched> all;
  EXPECT_TRUE(comes_true([&] {
    most = std::max(most, bench.budget().taken());
    for (Fetched& fetched : bench.take_now()) all.push_back(std::move(fetched));
    return all.size() == kCount;
  }));
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kSize);
  for (const Fetched& fetched : all) {
    EXPECT_EQ(fetched.result.outcome, Outcome::ok) << fetched.result.errormsg;
    EXPECT_TRUE(fetched.result.body == origin_body(target(fetched.result.index)));
  }
  EXPECT_EQ(bench.get(origin.url("/again")).result.outcome, Outcome::ok);
  EXPECT_EQ(origin.connections(), kCount) << "kept through their pauses";
}

// What libcurl kept while it was paused it hands over in the call that lets it go on.
TEST(FetcherRun, EndsABodyThatIsRefusedWhenItGoesOn) {
  const Origin origin;
  JobSettings settings;
  settings.max_filesize_bytes = BodyBudget::kOwnBytes;
  Bench bench(settings, 64, 0);
  bench.hold(1);  // nobody is let through
  constexpr std::size_t kCount = 8;
  for (Index i = 0; i < kCount; ++i) bench.fetch(origin.url("/?chunked=1&size=3000000"), i);
  EXPECT_TRUE(comes_true([&] { return bench.budget().waiting() == kCount; }));
  bench.hold(0);
  for (const Fetched& fetched : bench.take(kCount)) {
    EXPECT_EQ(fetched.result.outcome, Outcome::too_large) << fetched.result.errormsg;
  }
  EXPECT_EQ(bench.budget().taken(), 0U);
}

TEST(FetcherRun, LetsSmallBodiesPassWhileLargeOnesWait) {
  const Origin origin;
  Bench bench({}, 64, 0);
  bench.fetch(origin.url("/?cut=1&size=3000000"), 0);  // one that fails gives back, too
  for (Index i = 1; i < 3; ++i) bench.fetch(origin.url("/?size=3000000"), i);
  for (Index i = 3; i < 9; ++i) bench.fetch(origin.url("/?size=100000"), i);
  for (const Fetched& fetched : bench.take(9)) {
    const Index index = fetched.result.index;
    EXPECT_EQ(fetched.result.outcome, index < 1 ? Outcome::reset : Outcome::ok) << index;
  }
  EXPECT_EQ(bench.budget().taken(), 0U);
}

TEST(FetcherRun, LetsATaskThroughThatTheCollectorWaitsFor) {
  const Origin origin;
  Bench bench({}, 64, 0);
  bench.hold(1, {{kJob, 3}});
  bench.fetch(origin.url("/4?size=3000000"), 4);
  EXPECT_TRUE(comes_true([&] { return bench.budget().somebody_waits(); }));
  bench.fetch(origin.url("/3?size=3000000"), 3);
  EXPECT_EQ(bench.take_one().result.index, 3U);
  bench.hold(0);
  const Result last = bench.take_one().result;
  EXPECT_EQ(last.index, 4U);
  EXPECT_EQ(last.outcome, Outcome::ok);
}

TEST(FetcherRun, GivesBackWhatMayBeFetchedAgainWhenResultsTakeTheMemoryForLong) {
  const Origin origin;
  Bench bench({}, 64, 0, AddressPolicy(), milliseconds(50));
  bench.hold(1);
  Task post = task_of(origin.url("/1?size=3000000"));
  post.index = 1;
  post.method = "POST";
  bench.fetch(post);
  EXPECT_TRUE(comes_true([&] { return bench.budget().somebody_waits(); }));
  bench.fetch(origin.url("/0?size=3000000"), 0);
  const Result given_back = bench.take_one().result;
  EXPECT_EQ(given_back.index, 0U);
  EXPECT_EQ(given_back.outcome, Outcome::cancelled);
  bench.hold(0);
  const Result posted = bench.take_one().result;
  EXPECT_EQ(posted.index, 1U);
  EXPECT_EQ(posted.outcome, Outcome::ok);
}

TEST(FetcherRun, LetsTheFirstOkAnswerWinARace) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/slow?hang=1"));
  task.race = {task.url, origin.url("/bad?status=500"), origin.url("/good?delay=100")};
  const Result result = bench.get(task).result;
  EXPECT_EQ(result.outcome, Outcome::ok);
  EXPECT_EQ(result.url, task.url);
  EXPECT_EQ(result.url_effective, origin.url("/good?delay=100"));
  EXPECT_EQ(result.body, "/good?delay=100");
  EXPECT_EQ(origin.requests(), 3U);
  EXPECT_TRUE(comes_true([&] { return origin.open_connections() <= 2; })) << "losers are cut off";
}

TEST(FetcherRun, ReportsTheLastAnswerOfARaceThatNobodyWins) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/?status=404&delay=200"));
  task.race = {origin.url("/?status=500")};
  const Fetched fetched = bench.get(task);
  EXPECT_EQ(fetched.result.outcome, Outcome::http_error);
  EXPECT_EQ(fetched.result.response_code, 404);
  EXPECT_EQ(fetched.result.url_effective, "");
}

TEST(FetcherRun, TriesTheAddressesOfAFailoverInOrder) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/?status=500"));
  task.failover = {task.url, refusing_url(), origin.url("/third"), origin.url("/fourth")};
  const Result result = bench.get(task).result;
  EXPECT_EQ(result.outcome, Outcome::ok);
  EXPECT_EQ(result.url, task.url);
  EXPECT_EQ(result.url_effective, origin.url("/third"));
  EXPECT_EQ(origin.requests("/fourth"), 0U);
}

TEST(FetcherRun, ReportsTheLastFailureOfAFailover) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/?status=500"));
  task.failover = {origin.url("/?status=410")};
  const Fetched fetched = bench.get(task);
  EXPECT_EQ(fetched.result.response_code, 410);
  EXPECT_FALSE(fetched.transient);
}

TEST(FetcherRun, LeavesTimeForTheSecondAddressWhenTheFirstHangs) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/?hang=1"));
  task.failover = {origin.url("/second")};
  task.max_time = milliseconds(600);
  EXPECT_EQ(bench.get(task).result.outcome, Outcome::ok);
}

TEST(FetcherRun, DoesNotFailOverWithAnUnsafeRequestThatMayHaveArrived) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/?drop=1"));
  task.body = "pay";
  task.failover = {origin.url("/second")};
  EXPECT_EQ(bench.get(task).result.outcome, Outcome::reset);
  EXPECT_EQ(origin.requests("/second"), 0U);
}

TEST(FetcherRun, CancelsEverythingAndSaysSoForEach) {
  const Origin origin;
  Bench bench;
  for (Index i = 0; i < 10; ++i) bench.fetch(origin.url("/?hang=1"), i);
  ASSERT_TRUE(comes_true([&] { return origin.requests() == 10; }));
  bench.send(CancelTransfers{});
  std::set<Index> seen;
  for (const Fetched& fetched : bench.take(10)) {
    EXPECT_EQ(fetched.result.outcome, Outcome::cancelled);
    EXPECT_FALSE(fetched.transient);
    seen.insert(fetched.result.index);
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_TRUE(comes_true([&] { return origin.open_connections() == 0; }));
  EXPECT_EQ(bench.get(origin.url("/")).result.outcome, Outcome::ok);
}

TEST(FetcherRun, CancelsForGoodWhatMustNotBeRepeated) {
  const Origin origin;
  Bench bench;
  Task post = task_of(origin.url("/?hang=1"));
  post.body = "pay";
  bench.fetch(post);
  ASSERT_TRUE(comes_true([&] { return origin.requests() == 1; }));
  bench.send(CancelTransfers{});
  const Result result = bench.take_one().result;
  EXPECT_EQ(result.outcome, Outcome::abandoned);
  EXPECT_EQ(result.errormsg, "may have been sent; --retry-unsafe repeats it");
}

TEST(FetcherRun, ClosesAJobWithoutAWordAndLeavesTheOthers) {
  const Origin origin;
  constexpr JobSlot kOther{2};
  Bench bench;
  bench.open(kOther, {});
  bench.fetch(task_of(origin.url("/?hang=1")), kOther);
  Task slow = task_of(origin.url("/?delay=200"));
  slow.index = 5;
  bench.fetch(slow);
  ASSERT_TRUE(comes_true([&] { return origin.requests() == 2; }));
  bench.send(CloseJob{kOther});
  EXPECT_EQ(bench.take_one().result.index, 5U);
  EXPECT_TRUE(comes_true([&] { return origin.open_connections() == 1; }));
  bench.fetch(task_of(origin.url("/late")), kOther);
  EXPECT_EQ(bench.get(origin.url("/still")).result.body, "/still");
  EXPECT_EQ(origin.requests("/late"), 0U);
}

TEST(FetcherRun, StopsInTheMiddleOfEverything) {
  const Origin origin;
  {
    Bench bench;
    for (Index i = 0; i < 50; ++i) bench.fetch(origin.url("/?hang=1"), i);
    bench.fetch("http://name.invalid/");
    ASSERT_TRUE(comes_true([&] { return origin.requests() == 50; }));
  }
  EXPECT_TRUE(comes_true([&] { return origin.open_connections() == 0; }));
}

}  // namespace
}  // namespace fetchline
