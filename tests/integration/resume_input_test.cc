// A job that goes on with another input than it began with, and a fleet that is not asked to.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

class ResumeWithAnotherInput : public testing::Test {
 protected:
  // Nine tasks, and the process dies with the eighth in hand.
  ResumeWithAnotherInput() {
    write_file(input_, urls(0, 7) + origin_.url("/7?hang=1") + "\n" + urls(8, 9));
    RunningProgram program(fetchline_path(), {"-i", input_, "-o", output_});
    EXPECT_TRUE(eventually([this] { return origin_.requests() == 9; }));
    EXPECT_TRUE(eventually([this] { return lines_of(output_) == 7; }));
    program.signal(SIGKILL);
    EXPECT_EQ(program.exit_code(), 128 + SIGKILL);
  }

  [[nodiscard]] std::string urls(int first, int end) const {
    std::string text;
    for (int i = first; i < end; ++i) text += origin_.url("/" + std::to_string(i)) + "\n";
    return text;
  }
  static std::size_t lines_of(const std::string& path) {
    if (!std::filesystem::exists(path)) return 0;
    const std::string text = read_file(path);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  void expect_refused(const std::string& input, const std::string& why) {
    const std::string before = read_file(output_);
    write_file(directory_.file("other"), input);
    const auto begin = Clock::now();
    const Ended ended =
        run(fetchline_path(), {"-i", directory_.file("other"), "-o", output_, "--resume"});
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));  // a silent peer costs 3 s
    EXPECT_EQ(ended.code, 3);
    EXPECT_NE(ended.err.find("--input: " + why), std::string::npos) << ended.err;
    EXPECT_EQ(ended.err.find(" done"), std::string::npos) << ended.err;
    EXPECT_EQ(read_file(output_), before);
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string input_ = directory_.file("in"), output_ = directory_.file("out");
};

TEST_F(ResumeWithAnotherInput, IsRefusedWhenItEndsEarlier) {
  expect_refused(urls(0, 4), "the input ends at task 4, before it went on");
}

TEST_F(ResumeWithAnotherInput, IsRefusedWhenItGoesOn) {
  expect_refused(read_file(input_) + urls(9, 10), "the input goes on beyond task 8");
}

TEST_F(ResumeWithAnotherInput, IsRefusedWhenATaskInBetweenDiffers) {
  expect_refused(urls(0, 3) + urls(8, 9) + urls(4, 9),
                 "task 3 is not the one that was fetched before");
}

// Not resuming was forgotten: whoever reads the log learns what to do.
TEST(ResumeOfAFleet, IsWhatAProducerIsToldToAskForThatStartsAnew) {
  const Origin origin;
  const std::uint16_t tasks = free_port(), results = free_port();
  const Args flags = {"--bind", endpoint(tasks), "--collector", endpoint(results), origin.url("/")};
  RunningProgram collector(collector_path(), {"--bind", endpoint(results)});
  RunningProgram first(producer_path(), flags);
  EXPECT_TRUE(eventually([&] { return first.says("waiting for a worker"); }));  // it has the job
  first.signal(SIGKILL);
  EXPECT_EQ(first.exit_code(), 128 + SIGKILL);
  RunningProgram second(producer_path(), flags + Args{"--peer-timeout", "2"});
  EXPECT_TRUE(eventually([&] {
    return second.says("it serves another job; with the same input, --resume");
  })) << second.stderr_text();
  EXPECT_EQ(second.exit_code(), 10) << "a collector that serves another is none";
}

}  // namespace
}  // namespace fetchline
