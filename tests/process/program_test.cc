#include "deploy/process/program.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <sstream>

#include "deploy/process/flags.h"
#include "tests/process/scratch_file.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

// A program with one flag of each kind, called with a set of arguments.
struct Call {
  std::uint32_t concurrency = 50;
  std::uint64_t memory = 256U << 20U;
  std::chrono::milliseconds max_time = 60s;
  std::chrono::seconds speed_time = 30s;
  bool location = true;
  std::string input;
  std::optional<std::string> body;
  Texts headers, urls;
  FailOn fail_on;
  std::string required;
  Program program{"fetchline", "Fetches many URLs and keeps their order."};
  std::optional<ExitCode> end;
  std::string out, err;

  explicit Call(const Texts& arguments, bool requires_key = false) {
    CLI::App& app = program.app();
    flag_group(app, "What to fetch");
    list_option(app, "URL", urls, "URL", "what to fetch");
    text_option(app, "-i,--input", input, "FILE", "where the tasks are");
    list_option(app, "-H,--header", headers, "LINE", "add a header line");
    text_option(app, "-d,--data", body, "TEXT", "the body");
    switch_option(app, "-L,--location,!--no-location", location, "follow redirects");
    flag_group(app, "How hard");
    count_option(app, "-j,--concurrency", concurrency, "transfers at once", 1U, 1'000U);
    seconds_option(app, "-m,--max-time", max_time, "for one attempt");
    seconds_option(app, "--speed-time", speed_time, "how long it may be slow");
    size_option(app, "--memory", memory, "for bodies that wait");
    fail_on_option(app, fail_on);
    if (requires_key) text_option(app, "--key", required, "FILE", "a key")->required();
    program.example("fetchline -i urls.txt -o results.ndjson");
    program.example("fetchline https://a.example/");
    parse(arguments);
  }

 private:
  void parse(const Texts& arguments) {
    std::vector<const char*> argv = {"anything"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    end = program.parse(static_cast<int>(argv.size()), argv.data());
    err = testing::internal::GetCapturedStderr();
    out = testing::internal::GetCapturedStdout();
  }
};

// An environment variable for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

std::string error_of(const Texts& arguments) {
  const Call call(arguments);
  EXPECT_EQ(call.end, ExitCode::usage);
  const std::string hint = "\nTry 'fetchline --help'.\n";
  EXPECT_TRUE(call.err.ends_with(hint)) << call.err;
  return call.err.substr(0, call.err.size() - hint.size());
}

TEST(Program, TakesEveryKindOfFlag) {
  const Call call({"-i",
                   "-",
                   "-j",
                   "7",
                   "--memory",
                   "1.5G",
                   "-m",
                   "250ms",
                   "--speed-time=1.2",
                   "--no-location",
                   "-d",
                   "-x",
                   "-H",
                   "A: b",
                   "http://a/",
                   "-H",
                   "C: d",
                   "--fail-on",
                   "5%",
                   "http://b/"});
  EXPECT_FALSE(call.end) << call.err;
  EXPECT_EQ(call.input, "-");
  EXPECT_EQ(call.concurrency, 7U);
  EXPECT_EQ(call.memory, 3ULL << 29U);
  EXPECT_EQ(call.max_time, 250ms);
  EXPECT_EQ(call.speed_time, 2s);
  EXPECT_FALSE(call.location);
  EXPECT_EQ(call.body, "-x");
  EXPECT_EQ(call.headers, (Texts{"A: b", "C: d"}));
  EXPECT_EQ(call.urls, (Texts{"http://a/", "http://b/"}));
  EXPECT_EQ(std::get<FailAtPercent>(call.fail_on).percent, 5);
}

TEST(Program, WithoutArgumentsLeavesTheDefaults) {
  const Call call({});
  EXPECT_FALSE(call.end);
  EXPECT_EQ(call.concurrency, 50U);
  EXPECT_TRUE(call.location);
  EXPECT_FALSE(call.body);
  EXPECT_FALSE(call.program.log().quiet);
}

TEST(Program, TheLastOfARepeatedFlagCounts) {
  EXPECT_EQ(Call({"-j", "5", "-j", "9", "--no-location", "-L"}).concurrency, 9U);
  EXPECT_TRUE(Call({"--no-location", "-L"}).location);
}

TEST(Program, PrefersFlagToEnvironmentToFileToDefault) {
  const ScratchFile file("concurrency = 3\nmax-time = 3\nmemory = \"3K\"\n");
  const Variable concurrency("FETCHLINE_CONCURRENCY", "2"), max_time("FETCHLINE_MAX_TIME", "2");
  const Call call({"-j", "1", "--config", file.path()});
  EXPECT_FALSE(call.end) << call.err;
  EXPECT_EQ(call.concurrency, 1U);
  EXPECT_EQ(call.max_time, 2s);
  EXPECT_EQ(call.memory, 3'072U);
  EXPECT_EQ(call.speed_time, 30s);
}

TEST(Program, TakesSwitchesAndListsFromTheFile) {
  const ScratchFile file("no-location = true\nheader = [\"A: b\", \"C: d, e\"]\nquiet = true\n");
  const Call call({"--config", file.path()});
  EXPECT_FALSE(call.end) << call.err;
  EXPECT_FALSE(call.location);
  EXPECT_EQ(call.headers, (Texts{"A: b", "C: d, e"}));
  EXPECT_TRUE(call.program.log().quiet);
}

TEST(Program, ASwitchInTheFileMayBeFalse) {
  const ScratchFile file("location = false\nquiet = false\n");
  const Call call({"--config", file.path()});
  EXPECT_FALSE(call.location);
  EXPECT_FALSE(call.program.log().quiet);
}

TEST(Program, TakesSwitchesFromTheEnvironmentInBothSpellings) {
  const Variable no("FETCHLINE_NO_LOCATION", "1"), quiet("FETCHLINE_QUIET", "true");
  const Call call({});
  EXPECT_FALSE(call.location);
  EXPECT_TRUE(call.program.log().quiet);
}

TEST(Program, AnEmptyVariableCountsAsNotSet) {
  const Variable empty("FETCHLINE_CONCURRENCY", "");
  EXPECT_EQ(Call({}).concurrency, 50U);
}

TEST(Program, TheEnvironmentMayNameTheFile) {
  const ScratchFile file("concurrency = 3\n");
  const Variable config("FETCHLINE_CONFIG", file.path().c_str());
  EXPECT_EQ(Call({}).concurrency, 3U);
}

TEST(Program, ARequiredFlagMayComeFromAnySource) {
  EXPECT_EQ(Call({}, true).err, "fetchline: --key: is required\nTry 'fetchline --help'.\n");
  EXPECT_EQ(Call({"--key", "a"}, true).required, "a");
  const Variable key("FETCHLINE_KEY", "b");
  const Call call({}, true);
  EXPECT_FALSE(call.end);
  EXPECT_EQ(call.required, "b");
}

TEST(Program, NamesTheFlagThatIsWrong) {
  EXPECT_EQ(error_of({"--memory", "abc"}),
            "fetchline: --memory: \"abc\" is not a size, such as 4096, 64K or 1.5G");
  EXPECT_EQ(error_of({"-j", "x"}), "fetchline: --concurrency: \"x\" is not a whole number");
  EXPECT_EQ(error_of({"-j", "0"}), "fetchline: --concurrency: \"0\" is less than 1");
  EXPECT_EQ(error_of({"-j", "1001"}), "fetchline: --concurrency: \"1001\" is more than 1000");
  EXPECT_EQ(error_of({"-m", "soon"}),
            "fetchline: --max-time: \"soon\" is not a time, such as 10, 2.5s, 250ms, 3m or 1h");
  EXPECT_EQ(error_of({"--fail-on", "0"}), "fetchline: --fail-on: \"0\" is not any, never, N or P%");
  EXPECT_EQ(error_of({"--log-format", "xml"}),
            "fetchline: --log-format: \"xml\" is not one of text|json");
  EXPECT_EQ(error_of({"--memory"}), "fetchline: --memory: needs a value");
  for (const char* value : {"1", "0", "false", "maybe"}) {
    EXPECT_EQ(error_of({"--quiet=" + std::string(value)}), "fetchline: --quiet: takes no value");
  }
  EXPECT_EQ(error_of({"--no-location=1"}), "fetchline: --location: takes no value");
  EXPECT_EQ(error_of({"--nope=3", "http://a/"}), "fetchline: --nope: no such flag");
  EXPECT_EQ(error_of({"-z"}), "fetchline: -z: no such flag");
}

TEST(Program, NamesTheVariableThatIsWrong) {
  const Variable memory("FETCHLINE_MEMORY", "abc");
  EXPECT_EQ(error_of({}),
            "fetchline: FETCHLINE_MEMORY: \"abc\" is not a size, such as 4096, 64K or 1.5G");
  const Variable good("FETCHLINE_MEMORY", "1M"), quiet("FETCHLINE_QUIET", "maybe");
  EXPECT_EQ(error_of({}), "fetchline: FETCHLINE_QUIET: \"maybe\" is neither true nor false");
}

TEST(Program, WarnsOfVariablesThatNameNoFlag) {
  EXPECT_TRUE(Call({}).program.warnings().empty());
  const Variable typo("FETCHLINE_CONCURENCY", "9"), known("FETCHLINE_NO_LOCATION", "1"),
      service("FETCHLINE_PRODUCER_SERVICE_HOST", "10.0.0.1"),
      port("FETCHLINE_PRODUCER_PORT_5555_TCP", "tcp://10.0.0.1:5555");
  EXPECT_EQ(Call({}).program.warnings(),
            (Texts{"FETCHLINE_CONCURENCY is set, but fetchline has no such flag"}));
}

TEST(Program, NamesFileAndKeyThatAreWrong) {
  const ScratchFile unknown("memory = 1\n\nconcurency = 3\n"),
      bad("header = [ # concurrency = 1\n  \"A: b\",\n]\nconcurrency = \"x\"\n"),
      meta("config = \"other.toml\"\n");
  EXPECT_EQ(error_of({"--config", unknown.path()}),
            "fetchline: " + unknown.path() + ":3: \"concurency\" is not a known key");
  EXPECT_EQ(error_of({"--config", bad.path()}),
            "fetchline: " + bad.path() + ":4: concurrency: \"x\" is not a whole number");
  EXPECT_EQ(error_of({"--config", meta.path()}),
            "fetchline: " + meta.path() + ":1: \"config\" is not a known key");
  EXPECT_EQ(error_of({"--config", "/nowhere.toml"}),
            "fetchline: --config: /nowhere.toml: cannot be read: No such file or directory");
}

TEST(Program, ReportsWhatIsFoundLater) {
  const Call call({});
  testing::internal::CaptureStderr();
  EXPECT_EQ(call.program.report(UsageError("--bind", "the port is taken")), ExitCode::usage);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "fetchline: --bind: the port is taken\nTry 'fetchline --help'.\n");
}

TEST(Help, IsOneLineAFlagInGroupsOnStdout) {
  const Call call({"--help"});
  EXPECT_EQ(call.end, ExitCode::ok);
  EXPECT_EQ(call.err, "");
  EXPECT_TRUE(
      call.out.starts_with("Usage: fetchline [flags] [URL...]\n"
                           "Fetches many URLs and keeps their order.\n"
                           "\n"
                           "What to fetch:\n"
                           "  -i, --input FILE              where the tasks are\n"))
      << call.out;
  EXPECT_NE(call.out.find("\nHow hard:\n"
                          "  -j, --concurrency N           transfers at once [50]\n"
                          "  -m, --max-time TIME           for one attempt [60]\n"),
            std::string::npos)
      << call.out;
  EXPECT_LT(call.out.find("How hard:"), call.out.find("Talk:"));
  EXPECT_TRUE(
      call.out.ends_with("\nExamples:\n"
                         "  fetchline -i urls.txt -o results.ndjson\n"
                         "  fetchline https://a.example/\n"))
      << call.out;
}

TEST(Help, FitsIn100Columns) {
  std::istringstream help(Call({"-h"}).out);
  for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Version, IsNameAndNumber) {
  const Call call({"--version"});
  EXPECT_EQ(call.end, ExitCode::ok);
  EXPECT_EQ(call.out, "fetchline " FETCHLINE_VERSION "\n");
}

}  // namespace
}  // namespace fetchline
