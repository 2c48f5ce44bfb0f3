// How a fetcher looks names up: so many at once, and each for all that want it.
#include <algorithm>
#include <fstream>
#include <set>

#include "tests/integration/fetcher_bench.h"
#include "tests/integration/name_server.h"

namespace fetchline {
namespace {

constexpr std::size_t kLookups = 4;  // at once

class NamesBench : public Bench {
 public:
  explicit NamesBench(JobSettings settings = {}, std::size_t max_connections = 64)
      : Bench(std::move(settings), max_connections, std::size_t{1} << 30, AddressPolicy(),
              seconds(10), kLookups) {}
};

// Of this process.
std::size_t threads() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoul(line.substr(8));
  }
  ADD_FAILURE() << "no threads in /proc/self/status";
  return 0;
}

std::string url_of(const Origin& origin, const std::string& name, const std::string& target) {
  return "http://" + name + ":" + std::to_string(origin.port()) + target;
}

std::string name(std::size_t number) { return "h" + std::to_string(number) + ".example"; }

// Names that nobody tells, each of a fetch; the most threads that looked them up at once.
std::size_t most_threads_for(std::size_t names, JobSettings settings, std::string_view message) {
  NameServer silent;
  NamesBench bench(std::move(settings), 512);
  const std::size_t before = threads();
  for (std::size_t i = 0; i < names; ++i) bench.fetch("http://" + name(i) + "/", i);
  std::size_t most = 0;
  std::vector<Fetched> all;
  EXPECT_TRUE(comes_true([&] {
    most = std::max(most, threads());
    for (Fetched& fetched : bench.take_now()) all.push_back(std::move(fetched));
    return all.size() == names;
  }));
  EXPECT_EQ(silent.names_asked(), names);
  for (const Fetched& fetched : all) {
    EXPECT_TRUE(fetched.transient);
    EXPECT_TRUE(contains(fetched.result.errormsg, message)) << fetched.result.errormsg;
  }
  return most - before;
}

void in_own_network_or_skipped(const std::function<void()>& test) {
  if (!in_own_network(test)) GTEST_SKIP() << "needs root, for a network of its own";
}

TEST(FetcherNames, AreLookedUpNoMoreThanSoManyAtOnce) {
  in_own_network_or_skipped([] {
    const std::size_t most = most_threads_for(3 * kLookups, {}, "Could not resolve host: h");
    EXPECT_GT(most, 0U);
    EXPECT_LE(most, kLookups);
  });
}

TEST(FetcherNames, CountUntilTheirThreadsHaveEnded) {
  in_own_network_or_skipped([] {
    JobSettings settings;
    settings.connect_timeout = milliseconds(50);
    const std::size_t most = most_threads_for(4 * kLookups, settings, "Resolving timed out");
    EXPECT_GT(most, 0U);
    // One that closes its socket and is about to end may be seen together with the next.
    EXPECT_LT(most, 2 * kLookups);
  });
}

TEST(FetcherNames, AreLookedUpOnceForAllThatWaitForThem) {
  in_own_network_or_skipped([] {
    constexpr std::size_t kCount = 200;
    NameServer server;
    const Origin origin;
    NamesBench bench;
    for (Index i = 0; i < kCount; ++i) {
      bench.fetch(url_of(origin, name(i % 2), "/" + std::to_string(i)), i);
    }
    ASSERT_TRUE(comes_true([&] { return server.names_asked() == 2; }));
    EXPECT_EQ(origin.requests(), 0U);
    server.answer();
    for (const Fetched& fetched : bench.take(kCount)) {
      EXPECT_EQ(fetched.result.body, "/" + std::to_string(fetched.result.index));
      EXPECT_EQ(fetched.result.outcome, Outcome::ok) << fetched.result.errormsg;
    }
    EXPECT_EQ(origin.requests(), kCount);
    EXPECT_EQ(server.asked(name(0)), 1U);
    EXPECT_EQ(server.asked(name(1)), 1U);
  });
}

TEST(FetcherNames, ThatDoNotExistAreSoForAllThatWaitForThem) {
  in_own_network_or_skipped([] {
    constexpr std::size_t kCount = 50;
    NameServer server;
    NamesBench bench;
    for (Index i = 0; i < kCount; ++i) bench.fetch("http://no-such.example/" + std::to_string(i));
    ASSERT_TRUE(comes_true([&] { return server.names_asked() == 1; }));
    server.answer();
    for (const Fetched& fetched : bench.take(kCount)) {
      const Result& result = fetched.result;
      EXPECT_EQ(result.outcome, Outcome::dns_error);
      EXPECT_EQ(result.exitcode, 6) << "CURLE_COULDNT_RESOLVE_HOST";
      EXPECT_EQ(result.errormsg, "Could not resolve host: no-such.example");
      EXPECT_EQ(result.url_effective, "");
      EXPECT_EQ(result.response_code, 0);
      EXPECT_TRUE(fetched.transient);
    }
    EXPECT_EQ(server.asked("no-such.example"), 1U);
  });
}

TEST(FetcherNames, AreLookedUpForTheNextWhenTheFirstHasNoTime) {
  in_own_network_or_skipped([] {
    NameServer server;
    const Origin origin;
    NamesBench bench;
    Task hasty = task_of(url_of(origin, name(0), "/hasty"));
    hasty.max_time = milliseconds(50);
    bench.fetch(hasty);
    ASSERT_TRUE(comes_true([&] { return server.names_asked() == 1; }));
    hasty.index = 1;
    bench.fetch(hasty);
    bench.fetch(url_of(origin, name(0), "/patient"), 2);
    for (const Fetched& fetched : bench.take(2)) {
      const bool looked_up = fetched.result.index == 0;
      EXPECT_EQ(fetched.result.outcome, looked_up ? Outcome::timeout : Outcome::dns_error);
    }
    server.answer();
    EXPECT_EQ(bench.take_one().result.body, "/patient");
    EXPECT_EQ(origin.requests(), 1U);
  });
}

TEST(FetcherNames, CanBeGivenUpWhileTheyAreWaitedFor) {
  in_own_network_or_skipped([] {
    constexpr std::size_t kCount = 40;
    constexpr JobSlot kOther{2};
    NameServer server;
    const Origin origin;
    NamesBench bench;
    bench.open(kOther, {});
    for (Index i = 0; i < kCount; ++i) {
      bench.fetch(task_of(url_of(origin, name(i % 8), "/")), i % 3 == 0 ? kOther : kJob);
    }
    ASSERT_TRUE(comes_true([&] { return server.names_asked() == kLookups; }));
    bench.send(CloseJob{kOther});
    bench.send(CancelTransfers{});
    for (const Fetched& fetched : bench.take(kCount - kCount / 3 - 1)) {
      EXPECT_EQ(fetched.result.outcome, Outcome::cancelled);
    }
    server.answer();
    EXPECT_EQ(bench.get(url_of(origin, name(9), "/still")).result.body, "/still");
    EXPECT_EQ(origin.requests(), 1U);
  });
}

TEST(FetcherNames, TakeNoTimeFromTheSecondAddressWhileTheFirstWaits) {
  in_own_network_or_skipped([] {
    NameServer silent;
    const Origin origin;
    NamesBench bench;
    for (std::size_t i = 0; i < kLookups; ++i) bench.fetch("http://" + name(i) + "/");
    ASSERT_TRUE(comes_true([&] { return silent.names_asked() == kLookups; }));
    Task task = task_of("http://last.example/");  // waits for the others: a second
    task.failover = {origin.url("/?delay=200")};
    task.max_time = milliseconds(700);  // halved
    bench.fetch(task);
    bench.take(kLookups);
    EXPECT_EQ(bench.take_one().result.outcome, Outcome::ok);
  });
}

TEST(FetcherNames, LoseARaceWhileTheyAreWaitedFor) {
  in_own_network_or_skipped([] {
    NameServer server;
    const Origin origin;
    NamesBench bench;
    for (std::size_t i = 0; i < kLookups - 1; ++i) bench.fetch("http://" + name(i) + "/");
    ASSERT_TRUE(comes_true([&] { return server.names_asked() == kLookups - 1; }));
    Task race = task_of(url_of(origin, name(8), "/looks-up"));
    race.race = {url_of(origin, name(8), "/waits"), url_of(origin, name(9), "/waits-for-room"),
                 origin.url("/wins?delay=100")};
    EXPECT_EQ(bench.get(race).result.body, "/wins?delay=100");
    bench.take(kLookups - 1);
    server.answer();
    EXPECT_EQ(bench.get(url_of(origin, name(9), "/after")).result.body, "/after");
    EXPECT_EQ(bench.get(url_of(origin, name(8), "/after")).result.body, "/after");
    EXPECT_EQ(origin.requests(), 3U);
  });
}

// libcurl knows by itself where these are, but asks before it says so.
TEST(FetcherNames, AllHaveTheirTurn) {
  constexpr std::size_t kCount = 300;
  const Origin origin;
  NamesBench bench({}, 1024);
  for (Index i = 0; i < kCount; ++i) {
    Task task = task_of(url_of(origin, name(i % 100) + ".localhost", "/" + std::to_string(i)));
    task.index = i;
    if (i % 2 == 0) task.body = "sent once";
    bench.fetch(std::move(task));
  }
  std::set<Index> seen;
  for (const Fetched& fetched : bench.take(kCount)) {
    EXPECT_EQ(fetched.result.outcome, Outcome::ok) << fetched.result.errormsg;
    EXPECT_EQ(fetched.result.body, "/" + std::to_string(fetched.result.index));
    seen.insert(fetched.result.index);
  }
  EXPECT_EQ(seen.size(), kCount);
  EXPECT_EQ(origin.requests(), kCount);
}

}  // namespace
}  // namespace fetchline
