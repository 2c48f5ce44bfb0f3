#include "collector/manifest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

Manifest complete() {
  Manifest manifest;
  manifest.job = *parse_job_id("00112233445566778899aabbccddeeff");
  manifest.count = 5;
  manifest.outcomes[static_cast<std::size_t>(Outcome::ok)] = 3;
  manifest.outcomes[static_cast<std::size_t>(Outcome::dns_error)] = 2;
  manifest.bytes = 1234;
  manifest.sha256 = std::string(64, 'a');
  manifest.format = "ndjson";
  manifest.output = "results.ndjson";
  manifest.started_at = std::chrono::system_clock::time_point(1'767'225'600'000ms);
  manifest.finished_at = manifest.started_at + 12'345ms;
  return manifest;
}

std::vector<std::string> names_in(const TemporaryDirectory& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

int error_of_writing(const std::string& path) {
  try {
    write_manifest(path, complete());
  } catch (const OutputError& error) {
    return error.error;
  }
  return 0;
}

TEST(Manifest, SaysWhatTheJobWasAndHowItEnded) {
  EXPECT_EQ(ordered_json::parse(to_json(complete())).dump(),
            R"({"job":"00112233445566778899aabbccddeeff","count":5,)"
            R"("outcomes":{"ok":3,"dns_error":2},"bytes":1234,"sha256":")" +
                std::string(64, 'a') +
                R"(","format":"ndjson","output":"results.ndjson",)"
                R"("started_at":"2026-01-01T00:00:00.000Z",)"
                R"("finished_at":"2026-01-01T00:00:12.345Z","time_total":12.345})");
}

TEST(Manifest, AJobWithoutTasksHasNoOutcomes) {
  Manifest manifest;
  EXPECT_EQ(ordered_json::parse(to_json(manifest))["outcomes"], ordered_json::object());
}

TEST(Manifest, NamesTheDirectoryOfBodiesThatStandInFiles) {
  auto manifest = complete();
  EXPECT_FALSE(ordered_json::parse(to_json(manifest)).contains("output_dir"));
  manifest.output_dir = "pages";
  EXPECT_EQ(ordered_json::parse(to_json(manifest))["output_dir"], "pages");
}

TEST(Manifest, APathThatIsNotUtf8IsStillJson) {
  auto manifest = complete();
  manifest.output = "caf\xe9";
  EXPECT_EQ(ordered_json::parse(to_json(manifest))["output"], "café");
}

TEST(Manifest, AClockThatWasSetBackGivesNoNegativeTime) {
  auto manifest = complete();
  manifest.finished_at = manifest.started_at - 1h;
  EXPECT_EQ(ordered_json::parse(to_json(manifest))["time_total"], 0.0);
}

TEST(Manifest, IsWrittenBesideTheOutputAndNothingElseIsLeft) {
  const TemporaryDirectory directory;
  const auto path = manifest_path(directory.file("results.ndjson"));
  write_manifest(path, complete());
  EXPECT_EQ(read_file(path), to_json(complete()));
  EXPECT_EQ(names_in(directory), std::vector<std::string>{"results.ndjson.manifest.json"});
}

TEST(Manifest, SaysHowTheOutputWasMade) {
  const TemporaryDirectory directory;
  auto manifest = complete();
  manifest.format = "files";
  manifest.output_dir = "pages";
  manifest.emit = "json:/items";
  write_manifest(directory.file("m"), manifest);
  const auto read = read_manifest(directory.file("m"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->format, "files");
  EXPECT_EQ(read->output_dir, "pages");
  EXPECT_EQ(read->emit, "json:/items");
  EXPECT_EQ(read->sha256, manifest.sha256);
}

TEST(Manifest, ReplacesAnOlderOneAndALeftTemporary) {
  const TemporaryDirectory directory;
  const auto path = directory.file("m");
  write_file(path, "old");
  write_file(path + ".tmp", std::string(100'000, 'x'));
  write_manifest(path, complete());
  EXPECT_EQ(read_file(path), to_json(complete()));
  EXPECT_EQ(names_in(directory), std::vector<std::string>{"m"});
}

TEST(Manifest, ATemporaryThatPointsElsewhereIsNotFollowed) {
  const TemporaryDirectory directory;
  write_file(directory.file("precious"), "precious");
  std::filesystem::create_symlink(directory.file("precious"), directory.file("m.tmp"));
  EXPECT_EQ(error_of_writing(directory.file("m")), ELOOP);
  EXPECT_EQ(read_file(directory.file("precious")), "precious");
}

TEST(Manifest, AMissingDirectoryIsAnOutputError) {
  const TemporaryDirectory directory;
  EXPECT_EQ(error_of_writing(directory.file("missing/m")), ENOENT);
}

TEST(Manifest, WhenItCannotBeRenamedNoTemporaryStays) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.file("m"));
  EXPECT_EQ(error_of_writing(directory.file("m")), EISDIR);
  EXPECT_EQ(names_in(directory), std::vector<std::string>{"m"});
}

TEST(Manifest, RemovingOneThatIsNotThereIsFine) {
  const TemporaryDirectory directory;
  remove_manifest(directory.file("m"));
  write_file(directory.file("m"), "{}");
  remove_manifest(directory.file("m"));
  EXPECT_TRUE(names_in(directory).empty());
}

TEST(Manifest, SaysThatTheNextStageHasTakenAllBesideAllThatItSaidBefore) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("out.manifest.json");
  Manifest manifest;
  manifest.count = 7;
  manifest.sha256 = "5a";
  write_manifest(path, manifest);
  EXPECT_FALSE(read_manifest(path)->taken);
  std::string before = read_file(path);
  mark_taken(path);
  EXPECT_TRUE(read_manifest(path)->taken);
  const std::string after = read_file(path);
  before.resize(before.rfind("\n}"));
  EXPECT_EQ(after, before + ",\n  \"taken\": true\n}\n");
  mark_taken(path);
  EXPECT_EQ(read_file(path), after);
}

}  // namespace
}  // namespace fetchline
