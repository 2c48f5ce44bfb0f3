// Where settings come from, and what the programs tell of themselves.
#include <filesystem>
#include <sstream>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Settings : public testing::Test {
 protected:
  // The User-Agent that an origin sees.
  std::string agent_with(const Args& args, const std::map<std::string, std::string>& environment) {
    const Ended ended =
        run(fetchline_path(), Args{origin_.url("/?echo=1")} + args, {.environment = environment});
    EXPECT_EQ(ended.code, 0) << ended.err;
    for (const std::string& line : lines_of(body_of(parse_records(ended.out).at(0)))) {
      if (line.starts_with("User-Agent: ")) return line.substr(12, line.size() - 13);
    }
    return "none";
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
};

TEST_F(Settings, ComeFromFlagThenEnvironmentThenFileThenDefault) {
  const std::string file = directory_.file("fetchline.toml");
  write_file(file, "user-agent = \"file/1\"\n");
  const std::map<std::string, std::string> environment = {{"FETCHLINE_USER_AGENT", "env/1"}};
  EXPECT_TRUE(agent_with({}, {}).starts_with("fetchline/"));
  EXPECT_EQ(agent_with({"--config", file}, {}), "file/1");
  EXPECT_EQ(agent_with({}, {{"FETCHLINE_CONFIG", file}}), "file/1");
  EXPECT_EQ(agent_with({"--config", file}, environment), "env/1");
  EXPECT_EQ(agent_with({"--config", file, "-A", "flag/1"}, environment), "flag/1");
}

TEST_F(Settings, CanAllBeInAFile) {
  const std::string file = directory_.file("fetchline.toml"), output = directory_.file("out");
  const auto targets = mixed_targets(60, 30, 100);
  write_file(directory_.file("in"), urls_of(origin_, targets));
  write_file(file, "# the whole job\ninput = \"" + directory_.file("in") + "\"\noutput = \"" +
                       output +
                       "\"\nconcurrency = 3\nmax-time = \"20s\"\nheader = [\n  \"X-A: 1\",\n" +
                       "  \"X-B: 2\"\n]\nno-body = false\nprogress = \"none\"\n");
  const Ended ended = run(fetchline_path(), {"--config", file});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_answers(read_records(output), origin_, targets);
  EXPECT_EQ(origin_.max_simultaneous(), 3U);
}

TEST_F(Settings, ThatAreWrongAreNamedWithTheirSource) {
  const std::string file = directory_.file("bad.toml");
  write_file(file, "concurrency = \"many\"\n");
  const Ended from_file = run(fetchline_path(), {"--config", file, origin_.url("/")});
  EXPECT_EQ(from_file.code, 2);
  EXPECT_NE(from_file.err.find(file), std::string::npos) << from_file.err;
  EXPECT_NE(from_file.err.find("concurrency"), std::string::npos) << from_file.err;
  write_file(file, "retry = 1\nconcurency = 3\n");
  const Ended unknown = run(fetchline_path(), {"--config", file, origin_.url("/")});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find(file + ":2: \"concurency\""), std::string::npos) << unknown.err;
  const Ended from_environment =
      run(fetchline_path(), {origin_.url("/")}, {.environment = {{"FETCHLINE_RETRY", "-1"}}});
  EXPECT_EQ(from_environment.code, 2);
  EXPECT_NE(from_environment.err.find("FETCHLINE_RETRY"), std::string::npos);
  EXPECT_EQ(origin_.requests(), 0U);
}

TEST_F(Settings, ThatAreMistypedInTheEnvironmentAreNamed) {
  const Ended ended =
      run(fetchline_path(), {origin_.url("/")}, {.environment = {{"FETCHLINE_CONCURENCY", "3"}}});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(ended.err.find("warning: FETCHLINE_CONCURENCY"), std::string::npos) << ended.err;
}

TEST_F(Settings, AreGroupedAsTheUserThinksOfThem) {
  const Ended help = run(fetchline_path(), {"--help"});
  const auto group_of = [&](const std::string& flag) {
    std::string group;
    for (const std::string& line : lines_of(help.out)) {
      if (line.ends_with(":") && !line.starts_with(" ")) group = line;
      if (line.find(flag + " ") != std::string::npos) return group;
    }
    return "no " + flag;
  };
  EXPECT_EQ(group_of("--retry-unsafe"), "Safety:");
  EXPECT_EQ(group_of("--durability"), "Safety:");
  EXPECT_EQ(group_of("--drain-timeout"), "Fleet:");
  EXPECT_EQ(group_of("--dry-run"), "Talk:");
}

TEST_F(Settings, AreCheckedByADryRunThatFetchesNothing) {
  const std::string in = directory_.file("in"), output = directory_.file("out");
  write_file(in, urls_of(origin_, mixed_targets(12, 5, 5)));
  for (const std::string& path : {fetchline_path(), producer_path()}) {
    const Ended good = run(path, {"-i", in, "--dry-run"});
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_EQ(good.out, "");
    EXPECT_NE(good.err.find("12 tasks"), std::string::npos) << good.err;
  }
  write_file(in, urls_of(origin_, mixed_targets(3, 5, 5)) + "not a url\n");
  const Ended bad = run(fetchline_path(), {"-i", in, "-o", output, "--dry-run"});
  EXPECT_EQ(bad.code, 4);
  EXPECT_NE(bad.err.find("line 4"), std::string::npos) << bad.err;
  EXPECT_FALSE(std::filesystem::exists(output));
  EXPECT_EQ(bad.err.find("more lines"), std::string::npos) << bad.err;
  std::string many;
  for (int i = 0; i < 22; ++i) many += "not a url\n";
  write_file(directory_.file("many"), many);
  for (const std::string& path : {fetchline_path(), producer_path()}) {
    const Ended worse = run(path, {"-i", directory_.file("many"), "--dry-run"});
    EXPECT_NE(worse.err.find("line 10"), std::string::npos) << worse.err;
    EXPECT_EQ(worse.err.find("line 11"), std::string::npos) << worse.err;
    EXPECT_NE(worse.err.find("and 12 more lines that are not tasks"), std::string::npos)
        << worse.err;
  }
  EXPECT_EQ(run(fetchline_path(), {"-i", directory_.file("none"), "--dry-run"}).code, 3);
  write_file(output, "there\n");
  EXPECT_EQ(run(fetchline_path(), {"-i", in, "-o", output, "--dry-run"}).code, 9);
  EXPECT_EQ(read_file(output), "there\n");
  EXPECT_EQ(origin_.requests(), 0U);
}

TEST_F(Settings, AreExplainedByHelpThatFitsAScreen) {
  for (const std::string& path :
       {fetchline_path(), producer_path(), worker_path(), collector_path()}) {
    const Ended help = run(path, {"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_TRUE(help.out.starts_with("Usage: " + file_name(path))) << help.out;
    const auto lines = lines_of(help.out);
    EXPECT_LE(lines.size(), 82U) << file_name(path);
    for (const std::string& line : lines) EXPECT_LE(line.size(), 100U) << line;
    const Ended version = run(path, {"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_TRUE(version.out.starts_with(file_name(path) + " ")) << version.out;
    EXPECT_EQ(lines_of(version.out).size(), 1U);
  }
}

class Talk : public OnEachLayout {
 protected:
  const Origin origin_;
};
INSTANTIATE_TEST_SUITE_P(, Talk, kEitherShape, name_of);

TEST_P(Talk, IsNothingWhenQuiet) {
  const Args quiet = {"-q"};
  const bool whole = GetParam() == Layout::one_process;
  Job job(GetParam(), {.tasks = quiet + Args{origin_.url("/"), origin_.url("/2")},
                       .output = whole ? Args{} : quiet,
                       .effort = whole ? Args{} : quiet});
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(job.stderr_text(), "");
}

TEST_P(Talk, IsJsonWhenAsked) {
  const Args as_json = {"--progress", "json", "--log-format", "json"};
  const bool whole = GetParam() == Layout::one_process;
  Job job(GetParam(), {.tasks = as_json + Args{origin_.url("/?delay=1500"), "bad line"},
                       .output = whole ? Args{} : as_json,
                       .effort = whole ? Args{} : as_json});
  EXPECT_EQ(job.exit_code(), 4);
  for (const std::string& line : lines_of(job.stderr_text())) {
    EXPECT_TRUE(json::accept(line)) << line;
  }
  json last;
  std::size_t reports = 0;
  for (const std::string& line : lines_of(job.writer().stderr_text())) {
    const json entry = json::parse(line);
    if (entry.value("type", "") != "progress") continue;
    last = entry;
    ++reports;
  }
  EXPECT_GE(reports, 2U) << "one a second, and the last";
  EXPECT_EQ(last.at("final"), true);
  EXPECT_EQ(last.at("done"), 2);
  EXPECT_EQ(last.at("ok"), 1);
  EXPECT_EQ(last.at("failed"), 1);
  EXPECT_EQ(last.at("total"), 2);
}

}  // namespace
}  // namespace fetchline
