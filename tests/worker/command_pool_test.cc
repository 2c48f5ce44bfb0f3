// Commands of --emit exec: as real processes.
#include "worker/command_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

constexpr JobSlot kJob{1};

Fetched fetched_body(Index index = 0, std::string body = "body") {
  Fetched one;
  one.job = kJob;
  one.result.index = index;
  one.result.outcome = Outcome::ok;
  one.result.url = "http://a.example/";
  one.result.method = "GET";
  one.result.body = std::move(body);
  return one;
}

void run(CommandPool& pool, Fetched one) {
  pool.run(std::move(one), std::chrono::steady_clock::now());
}

// Those that are back, when there are `count` or patience is over.
std::vector<Fetched> take(CommandPool& pool, std::size_t count) {
  std::vector<Fetched> all;
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (all.size() < count && std::chrono::steady_clock::now() < end) {
    pollfd item{.fd = pool.fd(), .events = POLLIN, .revents = 0};
    poll(&item, 1, 100);
    for (Fetched& one : pool.take_done()) all.push_back(std::move(one));
  }
  EXPECT_EQ(all.size(), count);
  return all;
}

Emitted emitted_by(CommandOptions options, std::string body = "body") {
  CommandPool pool(std::move(options));
  run(pool, fetched_body(0, std::move(body)));
  const auto all = take(pool, 1);
  EXPECT_EQ(pool.held_bytes(), 0U);
  EXPECT_EQ(pool.count(), 0U);
  return all.empty() ? Emitted() : all[0].result.emit.value_or(Emitted{"", "nothing is set"});
}
Emitted emitted_by(const std::string& command, std::string body = "body") {
  return emitted_by(CommandOptions{.command = command}, std::move(body));
}

std::string lines_by(const std::string& command, std::string body = "body") {
  const Emitted emitted = emitted_by(command, std::move(body));
  EXPECT_EQ(emitted.error, "") << command;
  return emitted.lines;
}
std::string error_by(const std::string& command) {
  const Emitted emitted = emitted_by(command);
  EXPECT_EQ(emitted.lines, "") << command;
  return emitted.error;
}

template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// A number that a command wrote there.
pid_t pid_in(const std::string& path) {
  pid_t pid = 0;
  EXPECT_TRUE(eventually([&] { return (std::ifstream(path) >> pid) && pid > 0; })) << path;
  return pid;
}

// Not counting who is dead and not waited for.
bool runs(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return (file >> number >> name >> state) && state != "Z" && state != "X";
}

TEST(CommandPool, GivesTheRecordAndTakesTheLines) {
  const Emitted emitted = emitted_by("cat", std::string("a\0\n\"b", 5));
  const auto record = nlohmann::json::parse(emitted.lines);
  EXPECT_EQ(record["url"], "http://a.example/");
  EXPECT_EQ(record["body"], std::string("a\0\n\"b", 5));
  EXPECT_FALSE(record.contains("emit"));
  EXPECT_EQ(std::ranges::count(emitted.lines, '\n'), 1);
}

TEST(CommandPool, ReadsItsOutputAsAnInputIsRead) {
  EXPECT_EQ(lines_by(R"(printf 'http://a/\r\n\n# no\n http://b/ ')"), "http://a/\nhttp://b/\n");
  EXPECT_EQ(lines_by("true"), "");
  EXPECT_EQ(error_by(R"(printf '\377')"), "the command's output is not UTF-8");
}

TEST(CommandPool, SaysHowItFailed) {
  EXPECT_EQ(error_by("echo http://a/; exit 3"), "the command ended with code 3");
  EXPECT_EQ(error_by("echo why >&2; echo more >&2; exit 1"), "the command ended with code 1: why");
  EXPECT_EQ(error_by("kill -9 $$"), "the command was ended by signal 9");
  const std::string missing = error_by("/no/such/command");
  EXPECT_TRUE(missing.starts_with("the command ended with code 127: ")) << missing;
  EXPECT_NE(missing.find("/no/such/command: not found"), std::string::npos) << missing;
  const std::string loud = error_by("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
  EXPECT_EQ(loud, "the command ended with code 1: " + std::string(200, 'x'));
  EXPECT_EQ(lines_by("echo fine >&2; echo http://a/"), "http://a/\n");
}

TEST(CommandPool, KnowsHowItFailedWhereNobodyWantsToHearOfChildren) {
  std::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(error_by("exit 3"), "the command ended with code 3");
  std::signal(SIGCHLD, SIG_DFL);
}

TEST(CommandPool, IsKilledWithAllItStartedWhenItsTimeIsOver) {
  const TemporaryDirectory directory;
  const std::string shell = directory.file("shell"), child = directory.file("child");
  const CommandOptions options{.command = "echo $$ > " + shell + "; sleep 1000 & echo $! > " +
                                          child + "; echo http://a/; wait",
                               .max_time = 300ms};
  const Emitted emitted = emitted_by(options);
  EXPECT_EQ(emitted, (Emitted{"", "the command ran longer than 0.3 s"}));
  EXPECT_FALSE(runs(pid_in(shell)));
  EXPECT_TRUE(eventually([&] { return !runs(pid_in(child)); }));
}

TEST(CommandPool, LeavesNothingRunningBehindACommandThatEnded) {
  const TemporaryDirectory directory;
  const std::string child = directory.file("child");
  EXPECT_EQ(lines_by("sleep 1000 & echo $! > " + child + "; echo http://a/"), "http://a/\n");
  EXPECT_TRUE(eventually([&] { return !runs(pid_in(child)); }));
}

// Orphans are process 1's children, which in a container we are: nobody else waits for them.
TEST(CommandPool, LeavesNoDeadBehindAsProcess1) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  EXPECT_EQ(lines_by("sleep 1000 & sh -c 'sleep 1000 & wait' & echo http://a/"), "http://a/\n");
  emitted_by(CommandOptions{.command = "sleep 1000 | sleep 1000", .max_time = 100ms});
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  // What left its group is taken note of when the next command ends.
  const TemporaryDirectory directory;
  const std::string path = directory.file("left");
  CommandPool pool({.command = "[ -e " + path + " ] || { setsid sh -c 'echo $$ >" + path +
                               "' & while [ ! -s " + path + " ]; do sleep 0.01; done; }"});
  run(pool, fetched_body());
  take(pool, 1);
  const pid_t left = pid_in(path);
  EXPECT_TRUE(eventually([&] { return !runs(left); }));
  run(pool, fetched_body());
  take(pool, 1);
  EXPECT_EQ(kill(left, 0), -1) << "it is dead, and nobody has waited for it";
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST(CommandPool, WaitsWhenThereIsNoRoomForAnotherProcess) {
  CommandPool pool({.command = "echo http://a/"});
  rlimit normal{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &normal), 0);
  const rlimit few{.rlim_cur = 3, .rlim_max = normal.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  run(pool, fetched_body());
  pollfd item{.fd = pool.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&item, 1, 300), 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &normal), 0);
  EXPECT_EQ(take(pool, 1).front().result.emit, (Emitted{"http://a/\n", ""}));
}

TEST(CommandPool, GivesNoMoreMemoryThanIsAllowed) {
  const std::string greedy = "head -c 100000000 /dev/zero | tail -n 1 | wc -c";
  const CommandOptions allowed{.command = greedy, .max_memory_bytes = std::uint64_t{400} << 20};
  EXPECT_EQ(emitted_by(allowed).lines, "100000000\n");
  const CommandOptions little{.command = "head -c 100000000 /dev/zero | tail -n 1 >/dev/null",
                              .max_memory_bytes = std::uint64_t{50} << 20};
  const Emitted refused = emitted_by(little);
  EXPECT_TRUE(refused.error.starts_with("the command ended with code 1: tail: ")) << refused.error;
}

TEST(CommandPool, TakesSixteenMebibytesOfOutputAndNoMore) {
  EXPECT_EQ(lines_by("yes xxxxxxx | head -c 16777215").size(), 16'777'216U) << "and a newline";
  EXPECT_EQ(error_by("yes http://a/"), "the command's output is longer than 16 MiB");
  EXPECT_EQ(error_by("head -c 16777216 /dev/zero"), "the command's output is longer than 16 MiB");
}

TEST(CommandPool, DoesNotCareWhetherACommandReads) {
  const std::string large(5'000'000, 'x');
  EXPECT_EQ(lines_by("echo http://a/", large), "http://a/\n");
  EXPECT_EQ(lines_by("exec <&-; echo http://a/", large), "http://a/\n");
  EXPECT_EQ(lines_by("head -c 10 >/dev/null; echo http://a/", large), "http://a/\n");
  EXPECT_GT(std::stoul(lines_by("wc -c", large)), large.size());
}

TEST(CommandPool, WaitsForACommandThatHasNothingMoreToSay) {
  const TemporaryDirectory directory;
  const std::string done = directory.file("done");
  EXPECT_EQ(lines_by("echo http://a/; exec >&- 2>&-; cat > " + done), "http://a/\n");
  EXPECT_EQ(read_file(done).find(R"({"index":0)"), 0U);
}

TEST(CommandPool, GivesNoDescriptorsAndNoneOfOurSettings) {
  const int leaking = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  setenv("FETCHLINE_USER", "name:password", 1);
  setenv("OTHER", "kept", 1);
  EXPECT_EQ(lines_by("ls /proc/self/fd"), "0\n1\n2\n3\n") << "3 is that of ls itself";
  EXPECT_EQ(lines_by("grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1\n");
  EXPECT_EQ(lines_by("env | grep -c '^FETCHLINE_'; echo $OTHER"), "0\nkept\n");
  // The library's own, 32 and 33, do not count.
  constexpr std::uint64_t kOrdinary = 0x7FFFFFFF;
  for (const char* set : {"SigBlk", "SigIgn"}) {
    const std::string mask =
        lines_by("sed -n 's/^" + std::string(set) + ":.//p' /proc/self/status");
    EXPECT_EQ(std::stoull(mask, nullptr, 16) & kOrdinary, 0U) << set;
  }
  unsetenv("FETCHLINE_USER");
  unsetenv("OTHER");
  close(leaking);
}

TEST(CommandPool, RunsManyAtOnce) {
  constexpr std::size_t kMany = 64;
  const TemporaryDirectory directory;
  const std::string here = directory.path();
  CommandPool pool({.command = "cat > " + here + "/$$; while [ $(ls " + here + " | wc -l) -lt " +
                               std::to_string(kMany) + " ]; do sleep 0.2; done; cat " + here +
                               "/$$"});
  for (Index index = 0; index < kMany; ++index) run(pool, fetched_body(index));
  std::set<Index> indices;
  for (const Fetched& one : take(pool, kMany)) {
    EXPECT_EQ(one.result.emit->error, "");
    const auto record = nlohmann::json::parse(one.result.emit->lines);
    EXPECT_EQ(record["index"], one.result.index);
    indices.insert(one.result.index);
  }
  EXPECT_EQ(indices.size(), kMany);
}

TEST(CommandPool, KnowsHowManyRunAndSinceWhen) {
  const TemporaryDirectory directory;
  const std::string go = directory.file("go");
  CommandPool pool(
      {.command = "grep -q '\"index\":1,' || while [ ! -e " + go + " ]; do sleep 0.05; done"});
  EXPECT_EQ(pool.oldest(), std::nullopt);
  const Instant begin = std::chrono::steady_clock::now();
  pool.run(fetched_body(1), begin);
  pool.run(fetched_body(2), begin + 3s);
  pool.run(fetched_body(3), begin + 2s);
  EXPECT_EQ(pool.count(), 3U);
  EXPECT_EQ(pool.oldest(), begin);
  EXPECT_EQ(take(pool, 1).at(0).result.index, 1U);
  EXPECT_EQ(pool.count(), 2U);
  EXPECT_EQ(pool.oldest(), begin + 2s);
  write_file(go, "");
  (void)take(pool, 2);
  EXPECT_EQ(pool.oldest(), std::nullopt);
}

TEST(CommandPool, KillsWhatRunsForAJobThatIsClosed) {
  const TemporaryDirectory directory;
  const std::string shell = directory.file("shell");
  CommandPool pool({.command = "echo $$ > " + shell + "; sleep 1000"});
  run(pool, fetched_body());
  const pid_t pid = pid_in(shell);
  pool.close(JobSlot{2});
  pool.close(kJob);
  EXPECT_TRUE(eventually([&] { return pool.take_done().empty() && pool.held_bytes() == 0; }));
  EXPECT_FALSE(runs(pid));
}

TEST(CommandPool, GivesBackWhatMayBeFetchedAgainWhenItIsCancelled) {
  CommandPool pool({.command = "sleep 1000"});
  Fetched post = fetched_body(1);
  post.repeatable = false;
  run(pool, fetched_body(0));
  run(pool, std::move(post));
  pool.cancel();
  run(pool, fetched_body(2));  // it was under way already
  auto all = take(pool, 3);
  std::ranges::sort(all, {}, [](const Fetched& one) { return one.result.index; });
  EXPECT_EQ(all.at(0).result.outcome, Outcome::cancelled);
  EXPECT_EQ(all.at(1).result.outcome, Outcome::ok);
  EXPECT_EQ(all.at(1).result.emit->error, "the worker was stopped before the command ended");
  EXPECT_EQ(all.at(2).result.outcome, Outcome::cancelled);
}

// Who stops all processes of a service stops them in any order.
TEST(CommandPool, TakesAStopForNoVerdictWhileTheWorkerEnds) {
  for (const char* stop : {"kill -TERM $$", "kill -INT $$", "sh -c 'kill -HUP $$'; exit $?"}) {
    const TemporaryDirectory directory;
    const std::string shell = directory.file("shell"), go = directory.file("go");
    const std::string wait = "; while [ ! -e " + go + " ]; do sleep 0.05; done; ";
    CommandPool pool(
        {.command = "echo $$ > " + shell + wait + stop, .stop_patience = std::chrono::hours(1)});
    run(pool, fetched_body(0));
    const pid_t pid = pid_in(shell);
    write_file(go, "");
    EXPECT_TRUE(eventually([&] { return !runs(pid); }));
    pool.begin_drain();
    run(pool, fetched_body(1));
    Fetched post = fetched_body(2);
    post.repeatable = false;
    run(pool, std::move(post));
    auto all = take(pool, 3);
    std::ranges::sort(all, {}, [](const Fetched& one) { return one.result.index; });
    EXPECT_EQ(all.at(0).result.outcome, Outcome::cancelled) << stop;
    EXPECT_EQ(all.at(1).result.outcome, Outcome::cancelled) << stop;
    EXPECT_EQ(all.at(2).result.outcome, Outcome::ok);
    EXPECT_EQ(all.at(2).result.emit->error, "the worker was stopped before the command ended");
  }
}

TEST(CommandPool, TakesAStopForAVerdictWhenTheWorkerGoesOn) {
  const CommandOptions options{.command = "kill -TERM $$", .stop_patience = 50ms};
  EXPECT_EQ(emitted_by(options).error, "the command was ended by signal 15");
}

TEST(CommandPool, KillsWhatRunsWhenItEnds) {
  const TemporaryDirectory directory;
  const std::string shell = directory.file("shell"), child = directory.file("child");
  {
    CommandPool pool(
        {.command = "echo $$ > " + shell + "; sleep 1000 | (echo $$ > " + child + "; cat)"});
    run(pool, fetched_body());
    (void)pid_in(child);
  }
  EXPECT_FALSE(runs(pid_in(shell)));
  EXPECT_TRUE(eventually([&] { return !runs(pid_in(child)); }));
}

TEST(CommandPool, SaysThatNothingCanBeStarted) {
  CommandPool pool({.command = "true", .max_time = 1500ms});
  rlimit before{}, none{};
  getrlimit(RLIMIT_NOFILE, &before);
  none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  run(pool, fetched_body());
  const auto all = take(pool, 1);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(all.at(0).result.emit->error,
            "the command could not be started: pipe: Too many open files");
}

TEST(CommandPool, IsNoneWhereNoCommandCanBeRun) {
  rlimit before{}, none{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  none = {.rlim_cur = static_cast<rlim_t>(next) + 4, .rlim_max = before.rlim_max};  // for mailboxes
  setrlimit(RLIMIT_NOFILE, &none);
  std::string why;
  try {
    const CommandPool pool({.command = "true"});
  } catch (const CommandError& error) {
    why = error.what();
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(why, "no command can be run here: /dev/null: Too many open files");
}

}  // namespace
}  // namespace fetchline
