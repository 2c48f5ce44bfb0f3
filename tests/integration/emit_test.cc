// What a job says goes on to the next stage.
#include <csignal>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

// A target whose body is `text`.
std::string target_of(std::string_view text) { return "/?body=" + percent_encoded(text); }

class Emit : public OnEachLayout {
 protected:
  Records records_of(const std::vector<std::string>& targets, const Args& output) {
    write_file(directory_.file("in"), urls_of(origin_, targets));
    Job job(GetParam(), {.tasks = {"-i", directory_.file("in"), "--retry", "0"},
                         .output = Args{"-o", directory_.file("out")} + output,
                         .verdict = {"--fail-on", "never"}});
    EXPECT_EQ(job.exit_code(), 0);
    stderr_ = job.writer().stderr_text();
    Records records = read_records(directory_.file("out"));
    EXPECT_EQ(records.size(), targets.size());
    return records;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  std::string stderr_;
};
INSTANTIATE_TEST_SUITE_P(, Emit, kEitherShape, name_of);

TEST_P(Emit, BodyLinesAreAFieldOfTheRecord) {
  const auto records =
      records_of({target_of("http://a.example/\r\n\n# no\n{\"url\":\"http://b.example/\"}"),
                  target_of("\n"), "/?binary=1", target_of("http://c.example/") + "&status=404"},
                 {"--emit", "body-lines"});
  EXPECT_EQ(records[0]["emit"], (json{"http://a.example/", R"({"url":"http://b.example/"})"}));
  EXPECT_EQ(records[1]["emit"], json::array());
  EXPECT_FALSE(records[1].contains("emit_error"));
  EXPECT_EQ(records[2]["emit"], json::array());
  EXPECT_EQ(records[2]["emit_error"], "the body is not UTF-8");
  EXPECT_EQ(records[3]["outcome"], "http_error");
  EXPECT_EQ(records[3]["emit"], json::array());
  EXPECT_FALSE(records[3].contains("emit_error"));
  EXPECT_NE(stderr_.find("warning: --emit: nothing of task 2: the body is not UTF-8\n"),
            std::string::npos)
      << stderr_;
}

TEST_P(Emit, TakesTasksFromAPlaceInJson) {
  const auto records = records_of({target_of(R"({"items":["http://a.example/",{"url":"x"}]})"),
                                   target_of(R"({"other":1})"), target_of("no")},
                                  {"--emit", "json:/items", "--no-body"});
  EXPECT_EQ(records[0]["emit"], (json{"http://a.example/", R"({"url":"x"})"}));
  EXPECT_FALSE(records[0].contains("body"));
  EXPECT_EQ(records[1]["emit_error"], "nothing is at /items");
  EXPECT_TRUE(records[2]["emit_error"].get<std::string>().starts_with("the body is not JSON: "));
}

TEST_P(Emit, LinksAreRelativeToWhereThePageWasInTheEnd) {
  const std::string page = target_of("<p><a href=x>x</a><img src='/i?a=1&amp;b=2'><a href=x#y>");
  const std::string target = "/d/" + page.substr(1);
  const auto records =
      records_of({target, "/r?location=" + target_of(target).substr(7)}, {"--emit", "links"});
  for (const auto& record : records) {
    EXPECT_EQ(record["emit"], (json{origin_.url("/d/x"), origin_.url("/i?a=1&b=2")}));
  }
}

TEST_P(Emit, IsSaidBesideTheFileThatABodyIsIn) {
  const auto records = records_of(
      {target_of("http://a.example/")},
      {"--emit", "body-lines", "--format", "files", "--output-dir", directory_.file("bodies")});
  EXPECT_EQ(records[0]["emit"], json{"http://a.example/"});
  EXPECT_TRUE(records[0].contains("file"));
}

TEST_P(Emit, IsNotSaidWithoutTheFlag) {
  EXPECT_FALSE(records_of({target_of("http://a.example/")}, {})[0].contains("emit"));
}

TEST_P(Emit, WarnsOfAFewAndCountsTheOthers) {
  records_of(std::vector<std::string>(100, "/?binary=1"), {"--emit", "body-lines"});
  std::size_t warnings = 0;
  for (auto at = stderr_.find("--emit:"); at != stderr_.npos; at = stderr_.find("--emit:", at + 1))
    ++warnings;
  EXPECT_EQ(warnings, 5U);
}

// What was fetched stands in the journal only.
TEST(EmitResumed, ComesFromResultsThatAnEarlierProcessFetched) {
  const Origin origin;
  const TemporaryDirectory directory;
  const std::string input = directory.file("in"), output = directory.file("out");
  const Args args = {"-i", input, "-o", output, "--retry", "0", "--emit", "body-lines"};
  std::string lines = origin.url("/?delay=60000") + "\n";
  constexpr std::size_t kTasks = 30;
  for (std::size_t i = 1; i < kTasks; ++i) {
    lines += origin.url(target_of("http://a.example/" + std::to_string(i))) + "\n";
  }
  write_file(input, lines);
  RunningProgram first(fetchline_path(), args);
  const std::string segment = output + ".spill/segment-00000001";
  EXPECT_TRUE(eventually([&] {
    return origin.requests() == kTasks && std::filesystem::exists(segment) &&
           read_file(segment).find("http://a.example/29") != std::string::npos;
  })) << first.stderr_text();
  first.signal(SIGKILL);
  EXPECT_EQ(first.exit_code(), 128 + SIGKILL);
  const Ended other = run(fetchline_path(), args + Args{"--resume", "--emit", "json:/a"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("--emit: can only be body-lines, as " + output + " was begun"),
            std::string::npos)
      << other.err;
  const Ended second = run(fetchline_path(), args + Args{"--resume", "--max-time", "1"});
  EXPECT_EQ(second.code, 4) << second.err;
  const Records records = read_records(output);
  ASSERT_EQ(records.size(), kTasks);
  EXPECT_EQ(records[0]["emit"], json::array());
  for (std::size_t i = 1; i < kTasks; ++i) {
    EXPECT_EQ(records[i]["emit"], json{"http://a.example/" + std::to_string(i)});
  }
  EXPECT_EQ(origin.requests(), kTasks + 1) << "only the first was fetched again";
  EXPECT_EQ(json::parse(read_file(output + ".manifest.json"))["emit"], "body-lines");
}

TEST(EmitFlag, SaysWhatIsWrongWithTheRule) {
  for (const auto& program : {fetchline_path(), collector_path()}) {
    const Ended unknown = run(program, {"--emit", "bodies"});
    EXPECT_EQ(unknown.code, 2);
    EXPECT_NE(unknown.err.find(R"(--emit: "bodies" is not body-lines)"), std::string::npos)
        << unknown.err;
    const Ended pointer = run(program, {"--emit", "json:items"});
    EXPECT_EQ(pointer.code, 2);
    EXPECT_NE(pointer.err.find(R"(--emit: "json:items" is not a JSON pointer)"), std::string::npos)
        << pointer.err;
  }
}

}  // namespace
}  // namespace fetchline
