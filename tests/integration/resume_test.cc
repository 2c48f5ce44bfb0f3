// A job that is gone on with, and what must not be: the real program, killed and started again.
#include <sys/file.h>

#include <csignal>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

class Resume : public testing::Test {
 protected:
  static constexpr std::size_t kTasks = 40, kStuck = 20;

  Resume() {
    for (std::size_t i = 0; i < kTasks; ++i) {
      targets_.push_back("/" + std::to_string(i) + (i == kStuck ? "?delay=60000" : "?size=300"));
    }
    write_file(input_, urls_of(origin_, targets_));
  }

  [[nodiscard]] Args args(const Args& more) const {
    return Args{"-i", input_, "-o", output_, "--retry", "0"} + more;
  }
  [[nodiscard]] Ended resume(const Args& more = {}) const {
    return run(fetchline_path(), args({"--resume"}) + more);
  }
  // Everything is fetched but one, and everything before that is out.
  void leave_behind(
      const Args& more = {}, const std::function<bool()>& also = [] { return true; }) {
    RunningProgram program(fetchline_path(), args(more));
    const auto segment = output_ + ".spill/segment-00000001";
    EXPECT_TRUE(eventually([&] {
      const bool all_written = std::filesystem::exists(segment) && lines_in(output_) == kStuck &&
                               origin_.requests() >= kTasks && also();
      return all_written && read_file(segment).find(targets_.back()) != std::string::npos;
    })) << program.stderr_text();
    program.signal(SIGKILL);
    EXPECT_EQ(program.exit_code(), 128 + SIGKILL);
  }
  [[nodiscard]] static std::size_t lines_in(const std::string& path) {
    const std::string text = read_file(path);
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  void finish() {
    targets_.resize(kStuck);
    write_file(input_, urls_of(origin_, targets_));
    EXPECT_EQ(run(fetchline_path(), args({})).code, 0);
  }
  static void flip_a_bit(const std::string& path, std::size_t at) {
    std::string bytes = read_file(path);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 4);
    write_file(path, bytes);
  }
  static void expect(const Ended& ended, int code, const std::string& named) {
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_NE(ended.err.find(named), std::string::npos) << "no " << named << " in: " << ended.err;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  std::vector<std::string> targets_;
  const std::string input_ = directory_.file("in"), output_ = directory_.file("out");
  const std::string pages_ = directory_.file("pages");
  const std::string tasks_ = output_ + ".spill/tasks";
};

TEST_F(Resume, RefusesDamagedTaskHashesAndNamesTheirFile) {
  leave_behind();
  const std::string whole = read_file(tasks_);
  flip_a_bit(tasks_, 5 * 16 + 3);
  expect(resume(), 12, tasks_ + ": damaged at byte 80");
  write_file(tasks_, whole.substr(0, 16 * 16));
  expect(resume(), 12, tasks_ + ": damaged at byte 256");
  std::filesystem::remove(tasks_);
  expect(resume(), 12, tasks_ + ": damaged at byte 0");
  EXPECT_EQ(origin_.requests(), kTasks) << "nothing was fetched";
}

TEST_F(Resume, RefusesAnOutputWhoseFrontChangedAndNamesTheRange) {
  const std::string sums = output_ + ".spill/sums";
  for (const Args& more : {Args{}, Args{"--format", "files", "--output-dir", pages_}}) {
    leave_behind(more, [&] {
      if (!std::filesystem::exists(sums)) return false;
      const std::string last = read_file(sums);
      const auto size = std::to_string(std::filesystem::file_size(output_));
      return last.find(size + " ") != std::string::npos;
    });
    const std::string whole = read_file(output_);
    std::string changed = whole;
    const std::size_t at = changed.find("127.0.0.1");  // in a URL: still a record
    changed.at(at) = '2';
    write_file(output_, changed);
    expect(resume(more), 12, output_ + ": damaged between byte 0 and ");
    EXPECT_EQ(read_file(output_), changed) << "and leaves it as it is";
    write_file(output_, whole);
    EXPECT_EQ(resume(more + Args{"--max-time", "1"}).code, 4);
    EXPECT_FALSE(std::filesystem::exists(sums));
    std::filesystem::remove(output_);
    std::filesystem::remove(output_ + ".manifest.json");
  }
}

TEST_F(Resume, GoesOnOnlyWithTheFormatAndDirectoryItBeganWith) {
  const std::string others = directory_.file("others");
  leave_behind({"--format", "files", "--output-dir", pages_});
  expect(resume(), 2, "--format: can only be files");
  expect(resume({"--dry-run"}), 2, "--format: can only be files");
  expect(resume({"--format", "files", "--output-dir", others}), 2, "--output-dir: can only be");
  EXPECT_FALSE(std::filesystem::exists(others));
}

TEST_F(Resume, GoesOnOnlyWithRecordsLikeThoseThatAreOut) {
  leave_behind({"--no-body"});
  expect(resume(), 2, "--no-body: must be given, as " + output_ + " was begun");
  expect(resume({"--dry-run"}), 2, "--no-body: must be given");
  expect(resume({"--no-body", "--no-headers"}), 2, "--no-headers: cannot be given, as " + output_);
  EXPECT_EQ(resume({"--no-body", "--max-time", "1"}).code, 4);
}

TEST_F(Resume, IsRefusedForAFinishedOutputOfAnotherFormat) {
  finish();
  const std::string text = read_file(output_);
  expect(resume({"--format", "files", "--output-dir", directory_.file("pages")}), 2,
         "--format: can only be ndjson");
  EXPECT_EQ(read_file(output_), text);
}

TEST_F(Resume, EndsAtOnceWithAFinishedOutputThatIsWhatItsManifestSays) {
  finish();
  EXPECT_EQ(resume().code, 0);
  EXPECT_EQ(origin_.requests(), kStuck);
  flip_a_bit(output_, 100);
  expect(resume(), 12, output_ + ": damaged: its sha256");
  std::filesystem::resize_file(output_, 50);
  expect(resume(), 12, output_ + ": damaged at byte 50");
}

TEST_F(Resume, EndsWellOnAFinishedOutputWhateverFailed) {
  const Args job = {"-o", output_, "--retry", "0", origin_.url("/a"), origin_.url("/b?status=404")};
  EXPECT_EQ(run(fetchline_path(), job).code, 4);
  EXPECT_EQ(run(fetchline_path(), job + Args{"--resume"}).code, 0) << "nothing was left to fail";
}

TEST_F(Resume, IsCheckedByADryRunToo) {
  expect(resume({"--dry-run"}), 0, "would fetch 40 tasks");
  leave_behind();
  const std::string text = read_file(output_);
  expect(resume({"--dry-run"}), 0, "would fetch what lacks of 40 tasks");
  expect(run(fetchline_path(), args({"--dry-run"})), 9, ".spill: File exists (--resume goes on");
  std::filesystem::remove_all(output_ + ".spill");
  expect(resume({"--dry-run"}), 9, "cannot be resumed");
  EXPECT_EQ(read_file(output_), text);
  std::filesystem::remove(output_);
  finish();
  expect(resume({"--dry-run"}), 0, "would fetch nothing: " + output_ + " is complete");
}

TEST_F(Resume, CountsTheTimeFromTheFirstStart) {
  leave_behind();
  const auto begun = std::filesystem::last_write_time(tasks_);
  const Ended last = resume({"--max-time", "1"});
  EXPECT_EQ(last.code, 4) << last.err;
  const auto manifest = nlohmann::json::parse(read_file(output_ + ".manifest.json"));
  const auto ended = std::filesystem::last_write_time(output_ + ".manifest.json");
  const std::chrono::duration<double> since = ended - begun;
  EXPECT_GE(manifest.at("time_total").get<double>() + 0.05, since.count());
}

}  // namespace
}  // namespace fetchline
