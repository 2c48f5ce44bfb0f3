// Stages that take what the one before puts out: --next and --listen, with the real programs.
#include "tests/integration/chain.h"

#include <csignal>
#include <deque>
#include <filesystem>
#include <random>

#include "tests/integration/browser.h"

namespace fetchline {
namespace {

class Chain : public OnEachLayout {
 protected:
  // The processes of three stages; nothing is started yet.
  void make_stages(const Site& site, const Args& more = {}, Layout layout = GetParam()) {
    write_file(input_, site.input());
    const std::string second = endpoint(free_port()), third = endpoint(free_port());
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
  [[nodiscard]] static std::size_t lines_in(const std::string& path) {
    if (!std::filesystem::exists(path)) return 0;
    const std::string text = read_file(path);
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
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
      Stage& stage = stages_[random() % 3];
      const auto roles = stage.roles();
      const std::string role = roles[random() % roles.size()];
      if (stage.program(role).has_ended()) continue;
      stage.kill(role);
      stage.start(role);
    }
    expect_all(site);
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string input_ = directory_.file("in");
  std::deque<Stage> stages_;
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

INSTANTIATE_TEST_SUITE_P(Layouts, Chain, kEitherShape, name_of);

}  // namespace
}  // namespace fetchline
