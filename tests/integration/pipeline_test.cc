// The plain job: many URLs in, their records out in the same order.
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::ordered_json;

class Pipeline : public OnEachLayout {};
INSTANTIATE_TEST_SUITE_P(, Pipeline, kEveryLayout, name_of);

TEST_P(Pipeline, PutsThousandsOfRecordsInInputOrderAndEnds) {
  const Origin origin;
  const TemporaryDirectory directory;
  const auto targets = mixed_targets(3000, 60, 5000);
  write_file(directory.file("urls"), urls_of(origin, targets));
  const std::string output = directory.file("out.ndjson");
  Job job(
      GetParam(),
      {.tasks = {"-i", directory.file("urls")}, .output = {"-o", output}, .effort = {"-j", "100"}});
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = read_records(output);
  expect_answers(records, origin, targets);
  expect_manifest(output, records);
  EXPECT_EQ(origin.requests(), targets.size());
}

TEST_P(Pipeline, ShowsTheManifestOnlyWhenAllIsThereAndLeavesNothingElse) {
  const Origin origin;
  const TemporaryDirectory directory;
  std::vector<std::string> targets = mixed_targets(20, 5, 100);
  targets.emplace_back("/last?delay=1000");
  write_file(directory.file("urls"), urls_of(origin, targets));
  const std::string output = directory.file("out.ndjson");
  Job job(GetParam(), {.tasks = {"-i", directory.file("urls")}, .output = {"-o", output}});
  EXPECT_TRUE(eventually([&] { return origin.requests() == targets.size(); }));
  EXPECT_FALSE(has_manifest(output));
  EXPECT_EQ(job.exit_code(), 0);
  expect_manifest(output, read_records(output));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    EXPECT_TRUE(entry.is_regular_file()) << entry;
    ++files;
  }
  EXPECT_EQ(files, 3U) << "the input, the output, its manifest";
}

TEST_P(Pipeline, WritesToStdoutAndKeepsEverythingElseOffIt) {
  const Origin origin;
  const auto targets = mixed_targets(200, 30, 3000);
  Args urls;
  for (const std::string& target : targets) urls.push_back(origin.url(target));
  Job job(GetParam(), {.tasks = urls});
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
  EXPECT_NE(job.writer().stderr_text(), "");
  if (GetParam() != Layout::one_process) {
    EXPECT_EQ(job.reader().stdout_text(), "");
    EXPECT_EQ(job.worker(0).stdout_text(), "");
  }
}

TEST_P(Pipeline, TakesUrlsOfTheCommandLineBeforeThoseOfTheInput) {
  const Origin origin;
  const TemporaryDirectory directory;
  write_file(directory.file("urls"), origin.url("/third") + "\n");
  Job job(GetParam(), {.tasks = {origin.url("/first?delay=200"), "-i", directory.file("urls"),
                                 origin.url("/second")}});
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(job.writer().stdout_text()), origin,
                 {"/first?delay=200", "/second", "/third"});
}

TEST_P(Pipeline, FetchesTheSameUrlAsOftenAsItIsAskedTo) {
  const Origin origin;
  const std::vector<std::string> targets(30, "/same?size=50");
  const Args urls(30, origin.url("/same?size=50"));
  Job job(GetParam(), {.tasks = urls});
  EXPECT_EQ(job.exit_code(), 0);
  expect_answers(parse_records(job.writer().stdout_text()), origin, targets);
  EXPECT_EQ(origin.requests("/same?size=50"), 30U);
}

class Record : public OnEachLayout {};
INSTANTIATE_TEST_SUITE_P(, Record, kEitherShape, name_of);

TEST_P(Record, HasTheFieldsOfTheContractInTheirOrder) {
  const Origin origin;
  const TemporaryDirectory directory;
  write_file(
      directory.file("tasks"),
      ordered_json{
          {"url", origin.url("/a?type=text/html&size=1024")}, {"id", "one"}, {"meta", {{"k", 1}}}}
              .dump() +
          "\n");
  Job job(GetParam(), {.tasks = {"-i", directory.file("tasks")}});
  EXPECT_EQ(job.exit_code(), 0);
  const auto record = ordered_json::parse(job.writer().stdout_text());
  Args keys;
  for (const auto& [key, value] : record.items()) keys.push_back(key);
  EXPECT_EQ(keys, (Args{"index",
                        "id",
                        "url",
                        "outcome",
                        "response_code",
                        "exitcode",
                        "errormsg",
                        "url_effective",
                        "method",
                        "http_version",
                        "content_type",
                        "remote_ip",
                        "num_redirects",
                        "attempts",
                        "size_download",
                        "time_namelookup",
                        "time_connect",
                        "time_appconnect",
                        "time_starttransfer",
                        "time_total",
                        "fetched_at",
                        "worker",
                        "headers",
                        "meta",
                        "body"}));
  EXPECT_EQ(record["index"], 0);
  EXPECT_EQ(record["id"], "one");
  EXPECT_EQ(record["response_code"], 200);
  EXPECT_EQ(record["exitcode"], 0);
  EXPECT_EQ(record["errormsg"], "");
  EXPECT_EQ(record["url_effective"], record["url"]);
  EXPECT_EQ(record["method"], "GET");
  EXPECT_EQ(record["http_version"], "1.1");
  EXPECT_EQ(record["content_type"], "text/html");
  EXPECT_EQ(record["remote_ip"], "127.0.0.1");
  EXPECT_EQ(record["num_redirects"], 0);
  EXPECT_EQ(record["attempts"], 1);
  EXPECT_EQ(record["size_download"], 1024);
  EXPECT_EQ(record["headers"][0], (ordered_json{"Content-Type", "text/html"}));
  EXPECT_EQ(record["meta"], (ordered_json{{"k", 1}}));
  EXPECT_GT(record["time_total"], 0.0);
  const std::string worker = record["worker"];
  EXPECT_NE(worker.find(':'), std::string::npos) << worker;
}

TEST_P(Record, HasABodyOrABase64BodyOrNone) {
  const Origin origin;
  Job binary(GetParam(), {.tasks = {origin.url("/b?binary=1"), origin.url("/plain?gzip=5000"),
                                    origin.url("/none?size=0")}});
  EXPECT_EQ(binary.exit_code(), 0);
  const Records records = parse_records(binary.writer().stdout_text());
  expect_answers(records, origin, {"/b?binary=1", "/plain?gzip=5000", "/none?size=0"});
  EXPECT_TRUE(records.at(0).contains("body_base64"));
  EXPECT_TRUE(records.at(1).contains("body"));
  EXPECT_EQ(records.at(2).at("body"), "");
  Job bare(GetParam(), {.tasks = {origin.url("/b?binary=1"), origin.url("/plain")},
                        .output = {"--no-body", "--no-headers"}});
  EXPECT_EQ(bare.exit_code(), 0);
  for (const auto& record : parse_records(bare.writer().stdout_text())) {
    for (const char* key : {"body", "body_base64", "headers"}) EXPECT_FALSE(record.contains(key));
  }
}

}  // namespace
}  // namespace fetchline
