// Stages that take what the one before puts out: --next and --listen, with the real programs.
#include "tests/integration/chain.h"

#include <csignal>
#include <deque>
#include <filesystem>
#include <random>
#include <set>

#include "tests/integration/browser.h"

namespace fetchline {
namespace {

class Chain : public OnEachLayout {
 protected:
  // The processes of three stages; nothing is started yet.
  void make_stages(const Site& site, const Args& more = {}, Layout layout = GetParam()) {
    write_file(input_, site.input());
    const std::string second = endpoint(free_port()), third = endpoint(free_port());
    listens_at_ = second;
    stages_.clear();
    stages_.emplace_back(layout, directory_.file("1"), Args{"-i", input_}, second, more);
    stages_.emplace_back(layout, directory_.file("2"), Args{"--listen", second}, third, more);
    stages_.emplace_back(layout, directory_.file("3"), Args{"--listen", third}, "", more);
  }
  void expect_all(const Site& site) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(stages_[i].exit_code(), 0) << stages_[i].stderr_text();
      if (testing::Test::HasFailure()) return say_all();
      const Records records = read_records(stages_[i].output());
      site.expect_records(i, records);
      expect_manifest(stages_[i].output(), records);
    }
  }
  void say_all() {
    for (const Stage& stage : stages_) ADD_FAILURE() << stage.stderr_text();
  }
  [[nodiscard]] static std::string job_of(const std::string& output) {
    return nlohmann::json::parse(read_file(output + ".manifest.json")).at("job");
  }
  // Two stages: the first is complete, the second fetches for seconds.
  void make_slow_pair() {
    const std::string page = origin_.url("/page?delay=4000");
    write_file(input_, origin_.url("/index?body=" + percent_encoded(page)) + "\n");
    listens_at_ = endpoint(free_port());
    stages_.emplace_back(GetParam(), directory_.file("1"), Args{"-i", input_}, listens_at_);
    stages_.emplace_back(GetParam(), directory_.file("2"), Args{"--listen", listens_at_}, "");
    for (Stage& stage : stages_) stage.start();
    ASSERT_TRUE(eventually([&] {
      return has_manifest(stages_[0].output()) && origin_.requests("/page?delay=4000") > 0;
    })) << (say_all(), "");
  }
  [[nodiscard]] static std::size_t lines_in(const std::string& path) {
    if (!std::filesystem::exists(path)) return 0;
    const std::string text = read_file(path);
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  // A task whose worker dies three times is abandoned; when a stage is complete its others leave,
  // and who starts then finds nobody.
  [[nodiscard]] bool may_be_killed(Stage& stage, const std::string& role) {
    if (stage.program(role).has_ended()) return false;
    if (role == "worker") return workers_killed_.insert(&stage).second;
    return !has_manifest(stage.output()) || &stage.program(role) == &stage.writer();
  }
  // Kills one process of the chain after the other, and starts it again a moment later.
  void run_with_kills(const Site& site, int kills) {
    const auto seed = std::random_device()();
    RecordProperty("seed", std::to_string(seed));
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    for (Stage& stage : stages_) stage.start();
    const auto& last = stages_[2].output();
    for (int kill = 1; kill <= kills; ++kill) {
      const std::size_t due = site.urls(2).size() * static_cast<std::size_t>(kill) /
                              static_cast<std::size_t>(kills + 2);
      ASSERT_TRUE(eventually([&] { return lines_in(last) >= due; })) << (say_all(), "stands still");
      const std::size_t number = random() % 3;
      Stage& stage = stages_[number];
      const auto roles = stage.roles();
      const std::string role = roles[random() % roles.size()];
      if (!may_be_killed(stage, role)) continue;
      std::printf("at %zu of %zu: %s of %zu\n", lines_in(last), site.urls(2).size(), role.c_str(),
                  number + 1);
      stage.kill(role);
      stage.start(role);
    }
    expect_all(site);
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string input_ = directory_.file("in");
  std::string listens_at_;  // the second stage
  std::deque<Stage> stages_;
  std::set<const Stage*> workers_killed_;
};

TEST_P(Chain, CarriesEveryRecordOfThreeStages) {
  const Site site(origin_, 20, 4, 3, 20);
  make_stages(site);
  for (Stage& stage : stages_) stage.start();
  expect_all(site);
}

TEST_P(Chain, WaitsForStagesThatStartLast) {
  const Site site(origin_, 5, 2, 2);
  make_stages(site);
  stages_[2].start();
  stages_[1].start();
  EXPECT_TRUE(eventually([&] {
    return stages_[1].reader().says("waiting for the stage before at tcp://127.0.0.1:");
  })) << stages_[1].stderr_text();
  stages_[0].start();
  expect_all(site);
}

TEST_P(Chain, WaitsForStagesThatStartFirst) {
  const Site site(origin_, 5, 2, 2);
  make_stages(site);
  stages_[0].start();
  EXPECT_TRUE(eventually([&] {
    return stages_[0].writer().says("waiting for the next stage at tcp://127.0.0.1:") &&
           stages_[0].writer().says("complete; waiting until the next stage at");
  })) << stages_[0].stderr_text();
  EXPECT_TRUE(has_manifest(stages_[0].output()));
  stages_[1].start();
  stages_[2].start();
  expect_all(site);
}

TEST_P(Chain, EndsWithoutATaskWhenTheFirstStageHasNone) {
  const Site site(origin_, 0, 0, 0);
  make_stages(site);
  for (Stage& stage : stages_) stage.start();
  expect_all(site);
  for (Stage& stage : stages_) {
    EXPECT_TRUE(stage.reader().says("the input has no tasks")) << stage.stderr_text();
  }
}

TEST_P(Chain, LosesNothingWhenAnyProcessIsKilled) {
  const Site site(origin_, 60, 4, 3, 60);
  make_stages(site, {"--resume"});
  run_with_kills(site, 8);
}

TEST_P(Chain, GoesOnWhenTheMiddleStageIsStoppedAndResumed) {
  const Site site(origin_, 150, 4, 3, 300);
  make_stages(site, {"--resume"});
  for (Stage& stage : stages_) stage.start();
  ASSERT_TRUE(eventually([&] { return lines_in(stages_[2].output()) > 20; })) << (say_all(), "");
  stages_[1].signal(SIGTERM);
  EXPECT_EQ(stages_[1].exit_code(), 7) << stages_[1].stderr_text();
  EXPECT_FALSE(has_manifest(stages_[1].output()));
  stages_[1].start();
  expect_all(site);
}

// What the stages between may hold is far less than what there is.
TEST_P(Chain, StopsTheFirstStageWhenTheLastIsStopped) {
  constexpr std::size_t kIndices = 1500;
  make_stages(Site(origin_, 0, 0, 0), {"--window", "10"});
  std::string input;
  for (std::size_t i = 0; i < kIndices; ++i) {
    input += origin_.url("/index/" + std::to_string(i)) + "?lines=30&then=lines%3D30\n";
  }
  write_file(input_, input);
  stages_[2].start();
  EXPECT_TRUE(eventually([&] { return stages_[2].reader().says("waiting for the stage before"); }));
  stages_[2].reader().signal(SIGSTOP);
  stages_[1].start();
  stages_[0].start();
  std::size_t before = 0;
  Clock::time_point since = Clock::now();
  EXPECT_TRUE(eventually([&] {
    const std::size_t out = lines_in(stages_[0].output()) + lines_in(stages_[1].output());
    if (std::exchange(before, out) != out) since = Clock::now();
    return out > 0 && Clock::now() - since > std::chrono::seconds(2);
  })) << (say_all(), "never stands still");
  EXPECT_GT(lines_in(stages_[0].output()), 100U) << "the second stage reads ahead";
  EXPECT_LT(lines_in(stages_[0].output()), 600U);
  EXPECT_LT(lines_in(stages_[1].output()), 100U);
  stages_[2].reader().signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return lines_in(stages_[0].output()) > before; })) << "goes on";
}

// The second stage is busy with a slow page meanwhile.
TEST_P(Chain, RefusesTheLinesOfAnotherJob) {
  make_slow_pair();
  Stage intruder(GetParam(), directory_.file("other"), {origin_.url("/other")}, listens_at_);
  intruder.start();
  EXPECT_EQ(intruder.writer().exit_code(), 3) << intruder.stderr_text();
  EXPECT_TRUE(intruder.writer().says("--next: the next stage at " + listens_at_ +
                                     " takes the lines of job " + job_of(stages_[0].output()) +
                                     ", and this is job "))
      << intruder.stderr_text();
  for (Stage& stage : stages_) EXPECT_EQ(stage.exit_code(), 0) << stage.stderr_text();
}

TEST_P(Chain, TakesTheLinesOfOneSenderOfAJob) {
  make_slow_pair();
  const std::string first = stages_[0].output(), copy = directory_.file("copy");
  std::filesystem::copy(first, copy);
  std::filesystem::copy(first + ".manifest.json", copy + ".manifest.json");
  Stage second(GetParam(), copy, {"-i", input_}, listens_at_, {"--resume"});
  second.start();
  EXPECT_TRUE(eventually([&] {
    return second.writer().says("waiting for the next stage at " + listens_at_ +
                                ": it takes the lines of another sender");
  })) << second.stderr_text();
  for (Stage& stage : stages_) EXPECT_EQ(stage.exit_code(), 0) << stage.stderr_text();
}

TEST_P(Chain, BeginsATaskAsSoonAsItIsThere) {
  write_file(input_, "");
  const std::string second = endpoint(free_port());
  RunningProgram first(fetchline_path(), {"-i", "-", "--next", second, "-q"},
                       {.stdin_is_pipe = true});
  Stage next(GetParam(), "-", {"--listen", second}, "");
  next.start();
  for (const std::string name : {"/a", "/b", "/c"}) {
    const std::string url = origin_.url(name);
    ASSERT_TRUE(first.write(origin_.url("/list?body=" + percent_encoded(url + "\n")) + "\n"));
    const auto line = next.writer().read_line();
    ASSERT_TRUE(line) << next.stderr_text();
    EXPECT_EQ(nlohmann::json::parse(*line).at("url"), url);
  }
  const auto asked = Clock::now();
  const std::string url = origin_.url("/last");
  ASSERT_TRUE(first.write(origin_.url("/list?body=" + percent_encoded(url)) + "\n"));
  ASSERT_TRUE(next.writer().read_line());
  EXPECT_LT(Clock::now() - asked, std::chrono::milliseconds(500)) << "not with the next repeat";
  first.close_stdin();
  EXPECT_EQ(first.exit_code(), 0) << first.stderr_text();
  EXPECT_EQ(next.exit_code(), 0) << next.stderr_text();
  EXPECT_EQ(parse_records(first.stdout_text()).size(), 4U) << "its own records are on stdout";
}

TEST_P(Chain, GoesOnFromBodiesInFilesToo) {
  const Site site(origin_, 3, 2, 2);
  write_file(input_, site.input());
  const std::string second = endpoint(free_port());
  RunningProgram first(fetchline_path(),
                       {"-i", input_, "--next", second, "-o", directory_.file("1"), "--format",
                        "files", "--output-dir", directory_.file("pages")});
  Stage next(GetParam(), directory_.file("2"), {"--listen", second}, "");
  next.start();
  EXPECT_EQ(first.exit_code(), 0) << first.stderr_text();
  EXPECT_EQ(next.exit_code(), 0) << next.stderr_text();
  site.expect_records(1, read_records(next.output()));
}

INSTANTIATE_TEST_SUITE_P(Layouts, Chain, kEitherShape, name_of);

class ChainFlags : public testing::Test {
 protected:
  static void expect(const Ended& ended, int code, const std::string& named) {
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_NE(ended.err.find(named), std::string::npos) << "no " << named << " in: " << ended.err;
  }
};

TEST_F(ChainFlags, ExcludeEachOtherAndSayHow) {
  const std::string here = endpoint(free_port());
  for (const std::string& path : {fetchline_path(), producer_path()}) {
    expect(run(path, {"--listen", here, "-i", "-"}), 2, "--listen: is the input");
    expect(run(path, {"--listen", here, "http://a.example/"}), 2, "--listen: is the input");
    expect(run(path, {"--listen", "tcp://0.0.0.0:1"}), 2,
           "--listen: tcp://0.0.0.0:1 is open to other machines: give --key");
    expect(run(path, {"--listen", "nonsense"}), 2, "--listen: cannot bind nonsense");
  }
  for (const std::string wrong : {"nonsense", "tcp://*:1", "tcp://[::1:1", "ipc://"}) {
    expect(run(collector_path(), {"--bind", here, "--next", wrong}), 2,
           "--next: cannot connect to " + wrong);
  }
}

TEST_F(ChainFlags, SayHowLongOtherStagesAreWaitedFor) {
  const Origin origin;
  const std::string there = endpoint(free_port());
  expect(run(fetchline_path(), {origin.url("/"), "--next", there, "--peer-timeout", "1"}), 10,
         "the next stage at " + there + " did not come");
  expect(run(fetchline_path(), {"--listen", there, "--peer-timeout", "1"}), 10,
         "the stage before at " + there + " did not come");
}

TEST_F(ChainFlags, TakeKeysOfWhoIsProducerThereAndCollectorHere) {
  const Origin origin;
  const TemporaryDirectory directory;
  const std::string keys = directory.file("keys"), here = endpoint(free_port());
  ASSERT_EQ(run(fetchline_path(), {"keygen", keys}).code, 0);
  const Args authorized = {"--authorized-keys", keys + "/authorized"};
  const std::string page = origin.url("/list?body=" + percent_encoded(origin.url("/a")));
  RunningProgram next(fetchline_path(),
                      Args{"--listen", here, "--key", keys + "/producer.key"} + authorized);
  const Ended stranger = run(fetchline_path(), {page, "--next", here, "--peer-timeout", "5"});
  expect(stranger, 10, "asks for keys");
  const Ended first = run(
      fetchline_path(), Args{page, "--next", here, "--key", keys + "/collector.key"} + authorized);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(next.exit_code(), 0) << next.stderr_text();
  EXPECT_EQ(parse_records(next.stdout_text()).at(0).at("url"), origin.url("/a"));
}

}  // namespace
}  // namespace fetchline
