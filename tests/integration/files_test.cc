// --format files with the real programs: a file for each body, and records that name it.
#include <csignal>
#include <filesystem>
#include <map>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/origin/script.h"

namespace fetchline {
namespace {

using Files = std::map<std::string, std::string>;

Files files_in(const std::string& path) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    EXPECT_TRUE(entry.is_regular_file()) << entry;
    files[entry.path().filename().string()] = read_file(entry.path().string());
  }
  return files;
}

Args files_format(const std::string& output, const std::string& bodies) {
  return {"-o", output, "--format", "files", "--output-dir", bodies};
}

// Records in order, each with the body of its URL in the file that it names, and no other files.
void expect_files(const std::string& output, const std::string& bodies, const Origin& origin,
                  const std::vector<std::string>& targets) {
  const Records records = read_records(output);
  ASSERT_EQ(records.size(), targets.size());
  const Files files = files_in(bodies);
  EXPECT_EQ(files.size(), targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    ASSERT_EQ(records[i].at("url"), origin.url(targets[i]));
    ASSERT_FALSE(records[i].contains("body") || records[i].contains("body_base64"));
    const auto file = files.find(records[i].at("file").get<std::string>());
    ASSERT_TRUE(file != files.end()) << records[i].at("file");
    ASSERT_TRUE(file->second == origin_body(targets[i])) << file->first;
  }
  expect_manifest(output, records);
}

// Every third task wishes for a name, and some for the same.
std::string tasks_of(const Origin& origin, const std::vector<std::string>& targets) {
  std::string lines;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    nlohmann::json task = {{"url", origin.url(targets[i])}};
    if (i % 3 == 0) task["output"] = "name " + std::to_string(i / 6) + ".html";
    lines += task.dump() + "\n";
  }
  return lines;
}

class FilesFormat : public OnEachLayout {};
INSTANTIATE_TEST_SUITE_P(, FilesFormat, kEitherShape, name_of);

TEST_P(FilesFormat, PutsEveryBodyIntoTheFileThatItsRecordNames) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(1000, 30, 5000);
  write_file(directory.file("in"), tasks_of(origin, targets));
  const std::string output = directory.file("out"), bodies = directory.file("new/bodies");
  Job job(GetParam(),
          {.tasks = {"-i", directory.file("in")}, .output = files_format(output, bodies)});
  EXPECT_EQ(job.exit_code(), 0);
  expect_files(output, bodies, origin, targets);
  const auto manifest = nlohmann::json::parse(read_file(output + ".manifest.json"));
  EXPECT_EQ(manifest.at("format"), "files");
  EXPECT_EQ(manifest.at("output_dir"), bodies);
  EXPECT_FALSE(std::filesystem::exists(output + ".spill"));
}

class BodyFiles : public testing::Test {
 protected:
  [[nodiscard]] Ended fetch(const Args& more) const {
    return run(fetchline_path(), files_format(output_, bodies_) + more);
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string output_ = directory_.file("out"), bodies_ = directory_.file("bodies");
  const std::string input_ = directory_.file("in");
};

TEST_F(BodyFiles, StayBelowTheDirectoryWhateverIsWishedFor) {
  nlohmann::json task = {{"url", origin_.url("/x")}, {"output", "../escaped"}};
  write_file(input_, task.dump() + "\n" + origin_.url("/..%2fescaped") + "\n");
  EXPECT_EQ(fetch({"-i", input_}).code, 0);
  EXPECT_EQ(files_in(bodies_), (Files{{"_._escaped", origin_body("/x")},
                                      {"0000000001-_._2fescaped", origin_body("/..%2fescaped")}}));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("escaped")));
}

TEST_F(BodyFiles, AreNoneForFailuresWithoutABodyAndEmptyForEmptyBodies) {
  const std::string nobody = "http://127.0.0.1:" + std::to_string(free_port()) + "/x";
  EXPECT_EQ(fetch({origin_.url("/e?size=0"), nobody, "--retry", "0"}).code, 4);
  EXPECT_EQ(files_in(bodies_), (Files{{"0000000000-e", ""}}));
  const Records records = read_records(output_);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].at("file"), "0000000000-e");
  EXPECT_FALSE(records[1].contains("file"));
}

TEST_F(BodyFiles, AreNotOverwrittenUnlessAskedTo) {
  std::filesystem::create_directory(bodies_);
  const std::string file = bodies_ + "/0000000000-x";
  write_file(file, "precious");
  const Ended refused = fetch({origin_.url("/x")});
  EXPECT_EQ(refused.code, 9);
  EXPECT_NE(refused.err.find("--output-dir: " + file + ": File exists"), std::string::npos)
      << refused.err;
  EXPECT_FALSE(std::filesystem::exists(output_));
  EXPECT_FALSE(std::filesystem::exists(output_ + ".spill"));
  EXPECT_EQ(fetch({origin_.url("/x"), "--resume"}).code, 9) << "nor by trying again";
  EXPECT_EQ(read_file(file), "precious");
  EXPECT_EQ(fetch({origin_.url("/x"), "--overwrite"}).code, 0);
  EXPECT_EQ(read_file(file), origin_body("/x"));
  const Ended nowhere = fetch({origin_.url("/x"), "--overwrite", "--output-dir", file});
  EXPECT_EQ(nowhere.code, 9);
  EXPECT_NE(nowhere.err.find("--output-dir: " + file + ": Not a directory"), std::string::npos)
      << nowhere.err;
}

TEST_F(BodyFiles, InTheWayOfALaterOneLeaveWhatIsOutToBeResumed) {
  std::filesystem::create_directory(bodies_);
  const std::string file = bodies_ + "/0000000001-y";
  write_file(file, "precious");
  EXPECT_EQ(fetch({origin_.url("/x"), origin_.url("/y?delay=300")}).code, 9);
  EXPECT_EQ(read_records(output_).size(), 1U);
  std::filesystem::rename(file, directory_.file("saved"));
  EXPECT_EQ(fetch({origin_.url("/x"), origin_.url("/y?delay=300"), "--resume"}).code, 0);
  EXPECT_EQ(read_records(output_).size(), 2U);
  EXPECT_EQ(read_file(file), origin_body("/y?delay=300"));
}

TEST_F(BodyFiles, NeedBothFlags) {
  const Args url = {origin_.url("/x")};
  for (const std::string& program : {fetchline_path(), collector_path()}) {
    const Args rest = program == fetchline_path() ? url : Args{};
    const Ended no_directory = run(program, Args{"--format", "files"} + rest);
    EXPECT_EQ(no_directory.code, 2);
    EXPECT_NE(no_directory.err.find("--output-dir"), std::string::npos) << no_directory.err;
    EXPECT_EQ(run(program, Args{"--output-dir", bodies_} + rest).code, 2);
  }
  EXPECT_FALSE(std::filesystem::exists(bodies_));
}

TEST_F(BodyFiles, LeaveTheRecordsToStdout) {
  const Ended ended = run(fetchline_path(), {origin_.url("/x"), origin_.url("/y"), "--format",
                                             "files", "--output-dir", bodies_});
  EXPECT_EQ(ended.code, 0);
  const Records records = parse_records(ended.out);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].at("file"), "0000000001-y");
  EXPECT_EQ(files_in(bodies_).size(), 2U);
}

// Killed again and again, in whatever it does then.
TEST_F(BodyFiles, AreTheSameAfterCrashesAsWithout) {
  const auto targets = mixed_targets(2000, 20, 5000);
  write_file(input_, tasks_of(origin_, targets));
  EXPECT_EQ(fetch({"-i", input_}).code, 0);
  const std::string output = directory_.file("killed"), bodies = directory_.file("killed bodies");
  const Args args = Args{"-i", input_, "--resume", "-j", "20"} + files_format(output, bodies);
  std::size_t enough = origin_.requests();
  for (int i = 0; i < 5; ++i) {
    RunningProgram program(fetchline_path(), args);
    enough += 250;
    EXPECT_TRUE(eventually([&] { return origin_.requests() > enough; }));
    program.signal(SIGKILL);
    EXPECT_EQ(program.exit_code(), 128 + SIGKILL);
    enough = origin_.requests();
  }
  EXPECT_FALSE(has_manifest(output));
  const Ended last = run(fetchline_path(), args);
  EXPECT_EQ(last.code, 0) << last.err;
  expect_files(output, bodies, origin_, targets);
  EXPECT_TRUE(files_in(bodies) == files_in(bodies_));
}

}  // namespace
}  // namespace fetchline
