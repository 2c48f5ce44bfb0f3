#include "collector/files_sink.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "collector/damaged.h"
#include "collector/ndjson_sink.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using nlohmann::json;
using Existing = OutputFile::Existing;
namespace fs = std::filesystem;

Result ok(Index index, const std::string& body, const std::string& wish = {}) {
  Result result;
  result.index = index;
  result.outcome = Outcome::ok;
  result.url = "http://a.example/p" + std::to_string(index);
  result.output = wish;
  result.body = body;
  return result;
}

Result failed(Index index, const std::string& body = {}) {
  Result result = ok(index, body);
  result.outcome = body.empty() ? Outcome::timeout : Outcome::http_error;
  return result;
}

class FilesSinks : public testing::Test {
 protected:
  FilesSinks() { fs::create_directory(journal_); }

  [[nodiscard]] FilesSink::Options options(Existing existing = Existing::refuse) const {
    return {.output = output_, .directory = bodies_, .existing = existing};
  }
  [[nodiscard]] std::vector<json> records() const {
    std::vector<json> records;
    std::istringstream lines(read_file(output_));
    for (std::string line; std::getline(lines, line);) records.push_back(json::parse(line));
    return records;
  }
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const auto& file : fs::directory_iterator(bodies_)) {
      files[file.path().filename().string()] = read_file(file.path().string());
    }
    return files;
  }

  const TemporaryDirectory directory_;
  const std::string output_ = directory_.file("out"), bodies_ = directory_.file("bodies");
  const std::string journal_ = directory_.file("journal");
};

TEST_F(FilesSinks, PutEachBodyIntoAFileThatItsRecordNames) {
  FilesSink sink(options());
  sink.begin(journal_);
  sink.write(ok(0, "zero"));
  sink.write(ok(1, std::string("\0\xff", 2), "wish.bin"));
  sink.write(ok(2, ""));
  sink.write(failed(3));
  sink.write(failed(4, "not found"));
  const auto totals = sink.finish();
  EXPECT_EQ(totals.bytes, read_file(output_).size());
  EXPECT_EQ(files(), (std::map<std::string, std::string>{{"0000000000-p0", "zero"},
                                                         {"0000000002-p2", ""},
                                                         {"0000000004-p4", "not found"},
                                                         {"wish.bin", std::string("\0\xff", 2)}}));
  const auto all = records();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0]["file"], "0000000000-p0");
  EXPECT_EQ(all[1]["file"], "wish.bin");
  EXPECT_EQ(all[4]["file"], "0000000004-p4");
  EXPECT_FALSE(all[3].contains("file"));
  for (const auto& record : all) {
    EXPECT_FALSE(record.contains("body") || record.contains("body_base64"));
  }
  EXPECT_TRUE(fs::is_empty(journal_)) << "nothing is left to resume";
}

TEST_F(FilesSinks, HaveEachBodyWholeBeforeItsRecordIsOut) {
  FilesSink sink(options());
  sink.write(ok(0, "zero"));
  EXPECT_EQ(files().at("0000000000-p0"), "zero");
  EXPECT_EQ(read_file(output_), "");
  sink.flush();
  EXPECT_EQ(records().size(), 1U);
}

TEST_F(FilesSinks, GoOnBehindTheRecordsThatAreOut) {
  {
    FilesSink sink(options());
    sink.begin(journal_);
    sink.write(ok(0, "zero", "name"));
    sink.flush();
    sink.write(ok(1, "half a bo", "name"));  // and dies
    sink.write(ok(2, "not again"));
  }
  std::ofstream(output_, std::ios::app) << R"({"index":1,"outc)";
  FilesSink sink(options(Existing::resume));
  const auto recovered = sink.recover({});
  EXPECT_EQ(recovered.records, 1U);
  EXPECT_EQ(ok_of(recovered.counts), 1U);
  sink.begin(journal_);
  sink.write(ok(1, "one", "name"));
  sink.write(failed(2));
  sink.finish();
  EXPECT_EQ(files(),
            (std::map<std::string, std::string>{{"name", "zero"}, {"0000000001-name", "one"}}));
  EXPECT_EQ(records().size(), 3U);
}

TEST_F(FilesSinks, DoNotOverwriteWhenResumedWhatWasThereBeforeTheRun) {
  fs::create_directory(bodies_);
  write_file(bodies_ + "/precious", "old");
  {
    FilesSink sink(options());
    sink.begin(journal_);
    sink.write(ok(0, "new", "precious"));
    EXPECT_THROW(sink.flush(), OutputError);
  }
  FilesSink sink(options(Existing::resume));
  EXPECT_EQ(sink.recover({}).records, 0U);
  sink.begin(journal_);
  sink.write(ok(0, "new", "precious"));
  EXPECT_THROW(sink.flush(), OutputError);
  EXPECT_EQ(files().at("precious"), "old");
}

TEST_F(FilesSinks, AreNotResumedInAnotherDirectoryOrFormat) {
  {
    FilesSink sink(options());
    sink.write(ok(0, "zero"));
    sink.finish();
  }
  auto elsewhere = options(Existing::resume);
  elsewhere.directory = directory_.file("elsewhere");
  EXPECT_THROW(FilesSink(elsewhere).recover({}), OutputError);
  EXPECT_THROW(NdjsonSink(output_, Existing::resume, {}).recover({}), DamagedError);
  NdjsonSink(output_, Existing::overwrite, {}).finish();
  {
    NdjsonSink sink(output_, Existing::resume, {});
    sink.write(ok(0, "zero"));
    sink.finish();
  }
  EXPECT_THROW(FilesSink(options(Existing::resume)).recover({}), DamagedError);
}

TEST_F(FilesSinks, SpareTheRecordsWhenTheyStandAmongTheBodies) {
  auto among = options(Existing::overwrite);
  fs::create_directory(bodies_);
  among.output = bodies_ + "/out";
  FilesSink sink(among);
  sink.write(ok(0, "body", "out"));
  sink.write(ok(1, "body", "out.manifest.json"));
  sink.finish();
  EXPECT_EQ(files().at("0000000000-out"), "body");
  EXPECT_EQ(files().at("0000000001-out.manifest.json"), "body");
  EXPECT_TRUE(files().at("out").starts_with(R"({"index":0)"));
}

TEST_F(FilesSinks, KeepTheOutputFreeWhenTheDirectoryCannotBeHad) {
  write_file(bodies_, "a file");
  EXPECT_THROW(FilesSink{options()}, OutputError);
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(FilesSinks, WaitForRoomOnTheDiskOfTheBodiesAndLoseNothing) {
  FilesSink sink(options(Existing::overwrite));
  sink.write(ok(0, "zero"));
  fs::create_directory(bodies_ + "/0000000001-p1");  // in the way, as a full disk would be
  sink.write(ok(1, "one"));
  EXPECT_FALSE(sink.has_room());
  EXPECT_TRUE(sink.is_file());
  EXPECT_THROW(sink.flush(), OutputError);
  EXPECT_THROW(sink.flush(), OutputError);
  EXPECT_EQ(records().size(), 1U) << "what could go went";
  fs::remove(bodies_ + "/0000000001-p1");
  sink.flush();
  EXPECT_TRUE(sink.has_room());
  sink.write(ok(2, "two"));
  sink.finish();
  EXPECT_EQ(records().size(), 3U);
  EXPECT_EQ(files().size(), 3U);
  EXPECT_EQ(files().at("0000000001-p1"), "one");
}

TEST_F(FilesSinks, DoNotWaitForRoomInADevice) {
  auto device = options();
  device.output = "/dev/full";
  FilesSink sink(device);
  sink.write(ok(0, "zero"));
  EXPECT_THROW(sink.flush(), OutputError);
  EXPECT_FALSE(sink.is_file());
}

TEST_F(FilesSinks, WriteTheSameWhenTheyAreToSurviveTheLossOfPower) {
  auto durable = options();
  durable.survives_power_loss = true;
  FilesSink sink(durable);
  sink.begin(journal_);
  for (Index index = 0; index < 100; ++index) {
    sink.write(ok(index, "body"));
    if (index % 10 == 0) sink.flush();
  }
  sink.sync();
  sink.finish();
  EXPECT_EQ(records().size(), 100U);
  EXPECT_EQ(files().size(), 100U);
}

}  // namespace
}  // namespace fetchline
