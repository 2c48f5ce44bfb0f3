// Commands that workers run to find out what goes on.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

// Not counting who is dead and not waited for.
bool runs(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string number, name, state;
  return (file >> number >> name >> state) && state != "Z" && state != "X";
}

std::string pid_in(const std::string& path) {
  std::string pid;
  EXPECT_TRUE(eventually([&] { return (std::ifstream(path) >> pid) && !pid.empty(); })) << path;
  return pid;
}

class Exec : public OnEachLayout {
 protected:
  [[nodiscard]] JobArgs args(const std::string& command, const Args& urls,
                             const Args& effort = {}) const {
    const Args emit = {"--emit", "exec:" + command};
    return {.tasks = urls, .output = Args{"-o", output_} + emit, .effort = emit + effort};
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string output_ = directory_.file("out");
};
INSTANTIATE_TEST_SUITE_P(, Exec, kEitherShape, name_of);

TEST_P(Exec, MakesTasksOfEveryRecordThatIsOk) {
  constexpr std::size_t kTasks = 60;
  Args urls;
  for (std::size_t i = 0; i < kTasks; ++i) {
    urls.push_back(origin_.url("/" + std::to_string(i) + (i == 7 ? "?status=404" : "")));
  }
  JobArgs job_args = args("grep -o '^{\"index\":[0-9]*' | sed 's|.*:|http://c.example/|'", urls);
  job_args.verdict = {"--fail-on", "never"};
  Job job(GetParam(), job_args);
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = read_records(output_);
  ASSERT_EQ(records.size(), kTasks);
  for (std::size_t i = 0; i < kTasks; ++i) {
    const json one = json{"http://c.example/" + std::to_string(i)};
    EXPECT_EQ(records[i]["emit"], i == 7 ? json::array() : one);
    EXPECT_FALSE(records[i].contains("emit_error"));
  }
}

TEST_P(Exec, IsAFieldOfTheRecordWhenItFails) {
  Job job(GetParam(), args("echo no such thing >&2; exit 9", {origin_.url("/a?size=100")}));
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = read_records(output_);
  expect_answers(records, origin_, {"/a?size=100"});
  EXPECT_EQ(records[0]["emit"], json::array());
  EXPECT_EQ(records[0]["emit_error"], "the command ended with code 9: no such thing");
}

// The bound on how many run at once.
TEST_P(Exec, HoldsASlotUntilTheCommandHasEnded) {
  const std::string here = directory_.file("commands");
  std::filesystem::create_directory(here);
  Args urls;
  for (int i = 0; i < 12; ++i) urls.push_back(origin_.url("/" + std::to_string(i)));
  JobArgs job_args =
      args("cd " + here + "; touch $$; ls | wc -l | sed 's|^|http://n/|'; sleep 0.05; rm $$", urls,
           {"-j", "2"});
  job_args.workers = 1;
  Job job(GetParam(), job_args);
  EXPECT_EQ(job.exit_code(), 0);
  for (const auto& record : read_records(output_)) {
    EXPECT_TRUE(record["emit"] == json{"http://n/1"} || record["emit"] == json{"http://n/2"})
        << record["emit"];
  }
}

TEST_P(Exec, MayEndWhenAWorkerIsStopped) {
  const std::string begun = directory_.file("begun"), go = directory_.file("go");
  JobArgs job_args = args(
      "echo $$ > " + begun + "; while [ ! -e " + go + " ]; do sleep 0.05; done; echo http://c/",
      {origin_.url("/a")});
  job_args.workers = 1;
  Job job(GetParam(), job_args);
  (void)pid_in(begun);
  RunningProgram& stopped = GetParam() == Layout::one_process ? job.reader() : job.worker(0);
  stopped.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !stopped.has_pending(SIGTERM); }));
  write_file(go, "");
  // It was stopped, but nothing was left to do.
  if (GetParam() == Layout::one_process) {
    const int code = stopped.exit_code();
    EXPECT_TRUE(code == 7 || code == 0) << code;
  } else {
    EXPECT_EQ(stopped.exit_code(), 0);
    EXPECT_EQ(job.exit_code(), 0);
  }
  const Records records = read_records(output_);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]["emit"], json{"http://c/"});
  EXPECT_EQ(origin_.requests(), 1U);
}

TEST_P(Exec, LeavesNothingBehindAProcessThatIsKilled) {
  const std::string shell = directory_.file("shell"), child = directory_.file("child");
  JobArgs job_args =
      args("echo $$ > " + shell + "; sleep 1000 | (echo $$ > /dev/null; sh -c 'echo $$ > " + child +
               "; exec cat')",
           {origin_.url("/a")});
  job_args.workers = 1;
  Job job(GetParam(), job_args);
  const std::string shell_pid = pid_in(shell), child_pid = pid_in(child);
  RunningProgram& killed = GetParam() == Layout::one_process ? job.reader() : job.worker(0);
  killed.signal(SIGKILL);
  EXPECT_EQ(killed.exit_code(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return !runs(shell_pid) && !runs(child_pid); }));
}

class ExecInAFleet : public Exec {};
INSTANTIATE_TEST_SUITE_P(, ExecInAFleet, testing::Values(Layout::fleet), name_of);

TEST_P(ExecInAFleet, GoesToAnotherWorkerWhenOneIsStoppedAndItDoesNotEnd) {
  const std::string first = directory_.file("first");
  JobArgs job_args = args(
      "if [ -e " + first + " ]; then echo http://c/; else echo $$ > " + first + "; sleep 1000; fi",
      {origin_.url("/a")}, {"--drain-timeout", "1"});
  job_args.workers = 1;
  Job job(GetParam(), job_args);
  const std::string pid = pid_in(first);
  job.worker(0).signal(SIGTERM);
  EXPECT_EQ(job.worker(0).exit_code(), 0);
  EXPECT_TRUE(eventually([&] { return !runs(pid); }));
  job.add_worker();
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(read_records(output_).at(0)["emit"], json{"http://c/"});
  EXPECT_EQ(origin_.requests(), 2U);
}

// As systemd stops a service without KillMode=mixed, or a machine that shuts down.
TEST_P(ExecInAFleet, GoesToAnotherWorkerWhenItIsStoppedWithItsOwn) {
  const std::string first = directory_.file("first");
  JobArgs job_args = args(
      "if [ -e " + first + " ]; then echo http://c/; else echo $$ > " + first + "; sleep 1000; fi",
      {origin_.url("/a")});
  job_args.workers = 1;
  Job job(GetParam(), job_args);
  const std::string pid = pid_in(first);
  EXPECT_EQ(kill(std::stoi(pid), SIGTERM), 0);
  job.worker(0).signal(SIGTERM);
  EXPECT_EQ(job.worker(0).exit_code(), 0);
  job.add_worker();
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = read_records(output_);
  EXPECT_EQ(records.at(0)["emit"], json{"http://c/"});
  EXPECT_FALSE(records.at(0).contains("emit_error"));
}

TEST_P(ExecInAFleet, IsMissedWhereAWorkerWasNotTold) {
  JobArgs job_args = args("true", {origin_.url("/a")});
  job_args.effort = {};
  Job job(GetParam(), job_args);
  EXPECT_EQ(job.exit_code(), 0);
  const Records records = read_records(output_);
  EXPECT_EQ(records.at(0)["emit_error"], "no worker ran a command, as --emit exec: asks for");
}

TEST_P(ExecInAFleet, IsTheWorkersToSayAndNoOther) {
  Job job(GetParam(), {.tasks = {origin_.url("/a?body=x")},
                       .output = {"-o", output_},
                       .effort = {"--emit", "exec:echo http://c/"}});
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_FALSE(read_records(output_).at(0).contains("emit")) << "the collector was not asked to";
}

TEST(ExecFlag, IsTheOnlyRuleOfAWorker) {
  const Ended links = run(worker_path(), {"--emit", "links"});
  EXPECT_EQ(links.code, 2);
  EXPECT_NE(links.err.find(R"(--emit: "links" belongs to the collector)"), std::string::npos)
      << links.err;
  for (const auto& program : {worker_path(), fetchline_path()}) {
    const Ended empty = run(program, {"http://127.0.0.1:1/", "--emit", "exec:"});
    EXPECT_EQ(empty.code, 2);
    EXPECT_NE(empty.err.find("\"exec:\" has no command"), std::string::npos) << empty.err;
  }
}

TEST(ExecFlag, IsSaidByADryRun) {
  const Ended ended =
      run(fetchline_path(), {"http://a.example/", "--emit", "exec:jq -r .url", "--dry-run"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.err.find("would emit of each: exec:jq -r .url"), std::string::npos) << ended.err;
}

TEST(ExecFlag, CannotBeDoneForARecordOnInput) {
  const TemporaryDirectory directory;
  write_file(directory.file("in"),
             R"({"index":0,"url":"http://r/","outcome":"ok","body":"http://127.0.0.1:1/"})");
  const Ended ended = run(fetchline_path(), {"-i", directory.file("in"), "--emit", "exec:cat"});
  EXPECT_EQ(ended.code, 5);
  EXPECT_EQ(parse_records(ended.out).at(0)["errormsg"],
            "line 1: record: no worker ran a command, as --emit exec: asks for");
}

}  // namespace
}  // namespace fetchline
