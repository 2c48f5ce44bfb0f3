// A collector is struck at each call that changes a file, one run a call, and started again: the
// output is in the end what it is without, and nothing that was acknowledged is missing at any
// time. A few calls only, unless CRASH_POINTS=all is in the environment.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "collector/manifest.h"
#include "tests/collector/temporary_directory.h"
#include "tests/faults/crash_points/played_fleet.h"
#include "tests/integration/program.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using Producer = PlayedFleet::Producer;
using Environment = std::map<std::string, std::string>;

constexpr int kStruck = 99;  // exit code, of crash_points.cc
constexpr int kUnwritable = 9;
constexpr int kSomeFailed = 4;  // as the played worker's results have it

bool all_points() {
  const char* const points = std::getenv("CRASH_POINTS");
  return points != nullptr && std::string_view(points) == "all";
}

// Much faster where nothing comes to a disk; what a loss of power takes is played anyway.
void prefer_memory() {
  if (std::getenv("TMPDIR") == nullptr && access("/dev/shm", W_OK) == 0)
    setenv("TMPDIR", "/dev/shm", 0);
}

class CrashPoints : public testing::Test {
 protected:
  void SetUp() override { begin_anew(); }

  void begin_anew() {
    prefer_memory();
    directory_ = std::make_unique<TemporaryDirectory>();
    std::filesystem::create_directory(directory_->file("output"));
    output_ = directory_->file("output/results.ndjson");
    log_ = directory_->file("calls");
    port_ = free_port();
    fleet_ = std::make_unique<PlayedFleet>(port_);
  }

  std::unique_ptr<RunningProgram> start(Environment struck = {}) {
    Environment environment = std::move(struck);
    if (!environment.empty()) {
      environment["LD_PRELOAD"] = CRASH_POINTS_LIBRARY;
      environment["CRASH_BELOW"] = directory_->file("output");
      environment["CRASH_LOG"] = log_;
    }
    Args args = {"--bind",
                 endpoint(port_),
                 "-o",
                 output_,
                 "--resume",
                 "-q",
                 "--memory",
                 "4M",
                 "--spill-limit",
                 "8M",
                 "--durability",
                 power_ ? "power" : "process"};
    return std::make_unique<RunningProgram>(collector_path(), args,
                                            RunningProgram::Setup{.environment = environment});
  }
  // Starts it and plays until it ends; how it did.
  int run(const Environment& struck = {}, Producer producer = Producer::lives) {
    std::filesystem::remove(log_);
    const auto collector = start(struck);
    fleet_->play(*collector, producer);
    if (!collector->has_ended()) {
      ADD_FAILURE() << "it did not end\n" << collector->stderr_text();
      collector->signal(SIGKILL);
    }
    const int code = collector->exit_code();
    said_ = collector->stderr_text();
    return code;
  }
  void expect_whole_output() {
    EXPECT_TRUE(read_file(output_) == PlayedFleet::expected_output()) << "the output differs";
    EXPECT_FALSE(std::filesystem::exists(output_ + ".spill"));
    const auto manifest = read_manifest(manifest_path(output_));
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->count, 200U);
    EXPECT_EQ(manifest->bytes, std::filesystem::file_size(output_));
    EXPECT_EQ(manifest->sha256, undisturbed_sha256());
  }
  static std::string& undisturbed_sha256() {
    static std::string sum;
    return sum;
  }
  // The calls of a run that nothing befalls: "pwrite PATH", from the first.
  std::vector<std::string> undisturbed_calls(const Environment& counted = {}) {
    Environment environment = counted;
    environment["CRASH_ACTION"] = "none";
    EXPECT_EQ(run(environment), kSomeFailed) << said_;
    undisturbed_sha256() = read_manifest(manifest_path(output_)).value_or(Manifest{}).sha256;
    expect_whole_output();
    return logged_calls();
  }
  std::vector<std::string> logged_calls() {
    std::vector<std::string> calls;
    std::ifstream log(log_);
    for (std::string line; std::getline(log, line);) calls.push_back(line);
    return calls;
  }
  // Some of them, or all: each `stride`th and the last.
  static std::vector<std::size_t> points(std::size_t calls, std::size_t stride) {
    std::vector<std::size_t> some;
    for (std::size_t at = 1; at <= calls; at += all_points() ? 1 : stride) some.push_back(at);
    return some;
  }
  // One run for each point: struck there, then again without.
  void strike_each(const std::string& action, std::size_t stride, const std::string& calls = "") {
    const Environment counted = {{"CRASH_CALLS", calls}};
    const std::size_t count = undisturbed_calls(counted).size();
    ASSERT_GT(count, 5U);
    for (const std::size_t at : points(count, stride)) {
      begin_anew();
      Environment struck = counted;
      struck["CRASH_ACTION"] = action;
      struck["CRASH_AT"] = std::to_string(at);
      const int code = run(struck);
      const auto last_calls = logged_calls();
      SCOPED_TRACE(action + " at " + (last_calls.size() < at ? "none" : last_calls[at - 1]));
      expect_struck(code, action, last_calls.size() >= at ? last_calls[at - 1] : "");
      // Whoever was there before, or a producer that was started again too.
      if (code == kStruck || code == kUnwritable) {
        const int verdict = verdict_of_next();
        const int end = run({}, at % 2 == 0 ? Producer::lives : Producer::resumes);
        EXPECT_EQ(end, verdict) << said_;
      }
      // It ended well without removing what is of no use any more; the next one does.
      if (code == kSomeFailed && std::filesystem::exists(output_ + ".spill")) {
        EXPECT_EQ(run(), 0) << said_;
      }
      expect_whole_output();
      if (HasFailure()) return;
    }
  }
  // To resume what is finished is no failure any more.
  int verdict_of_next() const { return read_manifest(manifest_path(output_)) ? 0 : kSomeFailed; }
  void expect_struck(int code, const std::string& action, const std::string& call) {
    if (call.empty()) {  // the calls of two runs are not always as many
      EXPECT_EQ(code, kSomeFailed) << said_;
    } else if (action == "exit" || action == "tear" || action == "power") {
      EXPECT_EQ(code, kStruck) << said_;
    } else if (call.find(" fdatasync ") != call.npos && call.find("manifest") == call.npos) {
      EXPECT_EQ(code, kUnwritable) << said_;
    } else {  // a manifest is written anew as a whole
      EXPECT_TRUE(code == kUnwritable || code == kSomeFailed) << code << ": " << said_;
    }
  }

  bool power_ = false;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::string output_, log_, said_;
  std::uint16_t port_ = 0;
  std::unique_ptr<PlayedFleet> fleet_;
};

TEST_F(CrashPoints, AProcessThatEndsAtAnyCall) { strike_each("exit", 4); }

TEST_F(CrashPoints, AProcessThatEndsInTheMiddleOfAnyWrite) {
  strike_each("tear", 5, "write,pwrite");
}

TEST_F(CrashPoints, TheLossOfPowerAtAnyCall) {
  power_ = true;
  strike_each("power", 6);
}

// What the first wrote and had not synced is found by the second, told to be safe, and must be.
TEST_F(CrashPoints, TheLossOfPowerAfterAProcessEndedBeforeItsFdatasync) {
  power_ = true;
  const Environment counted = {{"CRASH_CALLS", "fdatasync"}};
  const std::size_t count = undisturbed_calls(counted).size();
  for (const std::size_t at : points(count, 3)) {
    begin_anew();
    SCOPED_TRACE(at);
    Environment struck = counted;
    struck["CRASH_DISK"] = directory_->file("disk");
    struck["CRASH_ACTION"] = "exit";
    struck["CRASH_AT"] = std::to_string(at);
    if (run(struck) != kStruck) continue;  // the calls of two runs are not always as many
    struck["CRASH_ACTION"] = "power";
    struck["CRASH_AT"] = "1";
    struck["CRASH_CALLS"] = "write,pwrite,rename";
    const int unstruck = verdict_of_next();
    const int code = run(struck);
    EXPECT_TRUE(code == kStruck || code == unstruck) << code << ": " << said_;
    if (code == kStruck) {
      const int verdict = verdict_of_next();
      EXPECT_EQ(run(), verdict) << said_;
    }
    expect_whole_output();
    if (HasFailure()) return;
  }
}

TEST_F(CrashPoints, AnFdatasyncThatFailsEndsItAndNothingOfItsGroupIsAcknowledged) {
  power_ = true;
  strike_each("EIO", 7, "fdatasync");
}

TEST_F(CrashPoints, AnFdatasyncThatFindsNoRoomIsNotTriedAgain) {
  power_ = true;
  strike_each("ENOSPC", 7, "fdatasync");
}

// But for fdatasync, which matters with --durability power.
constexpr const char* kAllButFdatasync =
    "open,write,pwrite,ftruncate,rename,unlink,unlinkat,rmdir,mkdir,fsync";

TEST_F(CrashPoints, AnyCallThatFails) { strike_each("EIO", 8, kAllButFdatasync); }

TEST_F(CrashPoints, AnyCallThatFindsNoRoom) { strike_each("ENOSPC", 25, kAllButFdatasync); }

TEST_F(CrashPoints, AFullDiskIsWaitedForUntilThereIsRoom) {
  for (const char* const calls : {"write", "pwrite", "open"}) {
    begin_anew();
    // From the third on: what it needs to begin with is there.
    EXPECT_EQ(run({{"CRASH_ACTION", "ENOSPC"},
                   {"CRASH_AT", "3"},
                   {"CRASH_TIMES", "2"},
                   {"CRASH_CALLS", calls}}),
              kSomeFailed)
        << calls << ": " << said_;
    EXPECT_NE(said_.find("waiting for room"), std::string::npos) << said_;
    undisturbed_sha256() = read_manifest(manifest_path(output_)).value_or(Manifest{}).sha256;
    expect_whole_output();
  }
}

// In one process nobody else may make the collector wait for what cannot be written.
TEST_F(CrashPoints, AStopWhileTheDiskIsFullIsNotDelayed) {
  const Origin origin;
  const auto targets = mixed_targets(300, 5, 3000);
  write_file(directory_->file("in"), urls_of(origin, targets));
  RunningProgram program(fetchline_path(),
                         {"-i", directory_->file("in"), "-o", output_, "--window", "100"},
                         {.environment = {{"LD_PRELOAD", CRASH_POINTS_LIBRARY},
                                          {"CRASH_BELOW", directory_->file("output")},
                                          {"CRASH_LOG", log_},
                                          {"CRASH_ACTION", "ENOSPC"},
                                          {"CRASH_AT", "1"},
                                          {"CRASH_TIMES", "1000000"},
                                          {"CRASH_CALLS", "write,pwrite"}}});
  EXPECT_TRUE(eventually([&] { return program.says("waiting for room"); }));
  const auto stopped = Clock::now();
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), kUnwritable);
  EXPECT_LT(Clock::now() - stopped, std::chrono::seconds(10)) << "of 25 s for what is in hand";
  EXPECT_FALSE(program.says("inproc")) << program.stderr_text();
  EXPECT_EQ(
      fetchline::run(fetchline_path(), {"-i", directory_->file("in"), "-o", output_, "--resume"})
          .code,
      0);
  expect_answers(read_records(output_), origin, targets);
}

TEST_F(CrashPoints, EveryWriteIsShort) {
  undisturbed_calls();
  for (const char* const action : {"short", "EINTR"}) {
    begin_anew();
    EXPECT_EQ(run({{"CRASH_ACTION", action},
                   {"CRASH_AT", "1"},
                   {"CRASH_TIMES", "1000000"},
                   {"CRASH_CALLS", "write,pwrite"}}),
              kSomeFailed)
        << said_;
    expect_whole_output();
  }
}

TEST_F(CrashPoints, AProcessThatEndsAtAnyCallWhileItResumes) {
  undisturbed_calls();
  std::size_t count = 1;
  for (std::size_t at = 1; at <= count; at += all_points() ? 1 : 4) {
    begin_anew();
    {
      const auto collector = start();
      fleet_->play_until(*collector, 120);
      collector->signal(SIGKILL);
      (void)collector->exit_code();
    }
    // A torn end of both, too.
    std::ofstream(output_, std::ios::app) << R"({"index":torn)";
    const int code = run({{"CRASH_ACTION", "exit"}, {"CRASH_AT", std::to_string(at)}},
                         at % 2 == 0 ? Producer::lives : Producer::resumes);
    const auto calls = logged_calls();
    SCOPED_TRACE(calls.empty() ? "" : calls.back());
    if (code == kStruck) {
      count = at + 4;
      const int verdict = verdict_of_next();
      EXPECT_EQ(run({}, Producer::lives), verdict) << said_;
    }
    expect_whole_output();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fetchline
