// What is wrong with the environment: one line that names it, and an exit code.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/integration/slowness.h"

namespace fetchline {
namespace {

void expect(const Ended& ended, int code, const std::string& named) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_NE(ended.err.find(named), std::string::npos) << "no \"" << named << "\" in: " << ended.err;
  EXPECT_EQ(ended.out, "");
}

const std::vector<std::string>& all_programs() {
  static const std::vector<std::string> paths = {fetchline_path(), producer_path(), worker_path(),
                                                 collector_path()};
  return paths;
}

class ExitCodes : public testing::Test {
 protected:
  const Origin origin_;
  const TemporaryDirectory directory_;
  const std::string output_ = directory_.file("out");
};

TEST_F(ExitCodes, Are2ForWhatIsWrongOnTheCommandLine) {
  for (const std::string& path : all_programs()) {
    expect(run(path, {"--no-such-flag"}), 2, "--no-such-flag");
    expect(run(path, {"--progress", "sometimes"}), 2, "--progress");
  }
  expect(run(fetchline_path(), {}), 2, "--input");
  expect(run(producer_path(), {}), 2, "--input");
  expect(run(fetchline_path(), {"-j", "0", origin_.url("/")}), 2, "--concurrency");
  expect(run(fetchline_path(), {"-X", "GE T", origin_.url("/")}), 2, "--request");
  expect(run(fetchline_path(), {"-x", "foo://bar", origin_.url("/")}), 2, "--proxy");
  expect(run(producer_path(), {"-x", "foo://bar", origin_.url("/")}), 2, "--proxy");
  expect(run(fetchline_path(), {"-m", "soon", origin_.url("/")}), 2, "--max-time");
  expect(run(fetchline_path(), {"--memory", "lots", origin_.url("/")}), 2, "--memory");
  expect(run(fetchline_path(), {"--fail-on", "101%", origin_.url("/")}), 2, "--fail-on");
  expect(run(fetchline_path(), {"-H", "no colon", origin_.url("/")}), 2, "--header");
  expect(run(fetchline_path(), {"-H", "two words: x", origin_.url("/")}), 2, "--header");
  for (const std::string& path : {directory_.file("none"), directory_.path().string()}) {
    expect(run(fetchline_path(), {"--config", path, origin_.url("/")}), 2, "--config: " + path);
  }
  for (const std::string& path : {fetchline_path(), worker_path()}) {
    expect(run(path, {"--allow-net", "public,lan"}), 2, "--allow-net: \"lan\" is not any, public");
    expect(run(path, {"--allow-net", "10.0.0.1/8"}), 2,
           "--allow-net: \"10.0.0.1/8\" has bits set beyond /8");
  }
  expect(run(worker_path(), {"--producer", endpoint(free_port())}), 2, "--producer");
  EXPECT_EQ(origin_.requests(), 0U);
}

TEST_F(ExitCodes, Are2ForAnEndpointWithoutAPortOrWithANameToBindTo) {
  const std::string example = "; an endpoint looks like tcp://127.0.0.1:5555";
  for (const std::string lacking : {"tcp://x", "tcp://127.0.0.1", "tcp://[::1]", "tcp://h:"}) {
    const std::string why = lacking + " has no port" + example;
    expect(run(collector_path(), {"--bind", lacking}), 2, "--bind: " + why);
    expect(run(producer_path(), {"--bind", lacking, "--dry-run", "http://a.example/"}), 2,
           "--bind: " + why);
    expect(run(worker_path(), {"--producer", lacking, "--collector", "tcp://127.0.0.1:1"}), 2,
           "--producer: " + why);
  }
  for (const std::string host : {"localhost", "lo", "nohost", ""}) {
    const std::string named = "tcp://" + host + ":*";
    const std::string why =
        "--bind: cannot bind " + named + ": \"" + host + "\" is no IP address; give one";
    expect(run(collector_path(), {"--bind", named}), 2, why);
    expect(run(collector_path(), {"--bind", named, "--insecure-plaintext"}), 2, why);
    expect(run(producer_path(), {"--bind", named, "--dry-run", "http://a.example/"}), 2, why);
  }
  expect(run(collector_path(), {"--bind", "collector:5556"}), 2, example);
  for (const std::string good : {"tcp://127.0.0.1:*", "tcp://[::1]:*", "tcp://[fe80::1%lo]:*"}) {
    const Args open = {"--bind", good, "--insecure-plaintext", "--dry-run", "http://a.example/"};
    expect(run(producer_path(), open), 0, "would hand out 1 tasks");
  }
}

TEST_F(ExitCodes, Are3ForAnInputThatCannotBeRead) {
  const std::string missing = directory_.file("missing");
  for (const std::string& path : {fetchline_path(), producer_path()}) {
    expect(run(path, {"-i", missing}), 3, missing);
    expect(run(path, {"-i", directory_.path().string()}), 3, directory_.path().string());
  }
  write_file(output_, "precious\n");
  expect(run(fetchline_path(), {"-i", missing, "-o", output_, "--overwrite"}), 3, missing);
  EXPECT_EQ(read_file(output_), "precious\n") << "the old output is replaced only by a new one";
}

TEST_F(ExitCodes, Are2ForAStartThatCannotBeAndTheOldOutputIsLeftAlone) {
  write_file(output_, "precious\n");
  const std::string taken = origin_.url("").substr(std::string_view("http://").size());
  for (const Args& wrong : {Args{"--http", taken}, {"--next", "tcp://x"}, {"--next", "x:1"}}) {
    const Args args = Args{"-o", output_, "--overwrite"} + wrong;
    expect(run(fetchline_path(), Args{origin_.url("/")} + args), 2, wrong.front());
    expect(run(collector_path(), Args{"--bind", endpoint(free_port())} + args), 2, wrong.front());
  }
  EXPECT_EQ(read_file(output_), "precious\n");
}

TEST_F(ExitCodes, Are2ForAnOutputThatIsTheInput) {
  const std::string link = directory_.file("link");
  write_file(output_, origin_.url("/") + "\n");
  std::filesystem::create_symlink(output_, link);
  expect(run(fetchline_path(), {"-i", output_, "-o", output_, "--overwrite"}), 2, "is the input");
  expect(run(fetchline_path(), {"-i", output_, "-o", link, "--overwrite"}), 2, "is the input");
  const std::string from_stdin = "exec \"$0\" -i - -o \"$1\" --overwrite <\"$1\"";
  expect(run("/bin/sh", {"-c", from_stdin, fetchline_path(), output_}), 2, "is the input");
  EXPECT_EQ(read_file(output_), origin_.url("/") + "\n");
}

TEST_F(ExitCodes, Are10AndNothingIsLeftInTheWayWhenNobodyCame) {
  const Args args = {"--bind", endpoint(free_port()), "-o", output_, "--peer-timeout", "0.2"};
  EXPECT_EQ(run(collector_path(), args).code, 10);
  EXPECT_EQ(run(collector_path(), args).code, 10) << "and not 9";
  EXPECT_FALSE(std::filesystem::exists(output_));
}

// What is closed must not become one of our own descriptors.
TEST_F(ExitCodes, Are3And9ForClosedStandardStreams) {
  const std::string program = fetchline_path();
  EXPECT_EQ(run("/bin/sh", {"-c", "exec \"$0\" -i - <&-", program}).code, 3);
  EXPECT_EQ(run("/bin/sh", {"-c", "exec \"$0\" \"$1\" >&-", program, origin_.url("/")}).code, 9);
}

TEST_F(ExitCodes, Are9ForAnOutputThatExistsAndItIsLeftAlone) {
  write_file(output_, "precious\n");
  write_file(output_ + ".manifest.json", "{}");
  expect(run(fetchline_path(), {origin_.url("/"), "-o", output_}), 9, "--overwrite");
  expect(run(collector_path(), {"--bind", endpoint(free_port()), "-o", output_}), 9, output_);
  EXPECT_EQ(read_file(output_), "precious\n");
  EXPECT_EQ(read_file(output_ + ".manifest.json"), "{}");
  EXPECT_EQ(origin_.requests(), 0U);
  EXPECT_EQ(run(fetchline_path(), {origin_.url("/"), "-o", output_, "--overwrite"}).code, 0);
  const Records records = read_records(output_);
  expect_answers(records, origin_, {"/"});
  expect_manifest(output_, records);
}

TEST_F(ExitCodes, Are9ForAnOutputThatCannotBeWritten) {
  const Args bind = {"--bind", endpoint(free_port())};
  const std::string nowhere = directory_.file("no/such/directory/out");
  expect(run(fetchline_path(), {origin_.url("/"), "-o", nowhere}), 9, nowhere);
  expect(run(fetchline_path(), {origin_.url("/"), "-o", nowhere, "--dry-run"}), 9, nowhere);
  expect(run(collector_path(), bind + Args{"-o", nowhere}), 9, nowhere);
  const std::string directory = directory_.path().string();
  expect(run(fetchline_path(), {origin_.url("/"), "-o", directory, "--overwrite"}), 9, directory);
  expect(run(fetchline_path(), {origin_.url("/"), "-o", "/dev/full"}), 9, "/dev/full");
  expect(run(fetchline_path(), {origin_.url("/")}, {.stdout_path = "/dev/full"}), 9, "stdout");
  if (geteuid() == 0) return;  // nothing is closed to root
  std::filesystem::permissions(
      directory_.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  expect(run(fetchline_path(), {origin_.url("/"), "-o", output_}), 9, output_);
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::owner_all);
}

TEST_F(ExitCodes, Are9ForAnOutputThatMayNotGrow) {
  const Ended ended = run("/bin/sh", {"-c", "ulimit -f 20; exec \"$0\" \"$1\" -o \"$2\"",
                                      fetchline_path(), origin_.url("/?size=100000"), output_});
  expect(ended, 9, "File too large");
}

// With stacks so large the limit says how many threads there may be. The first is ZeroMQ's, which
// ends the process when it cannot have it.
TEST_F(ExitCodes, Are1WhicheverThreadCannotBeStarted) {
  if (slowness() > 1) GTEST_SKIP() << "sanitizers need more memory than there are addresses left";
  int roles = 0;
  Ended ended;
  for (int threads = 2; threads < 40 && ended.code != 0; ++threads) {
    constexpr int kStackKib = 4 << 20;
    const std::string limit = std::to_string((threads * std::int64_t{kStackKib}) + (3 << 19));
    ended = run("/bin/sh", {"-c",
                            "ulimit -s " + std::to_string(kStackKib) + "; ulimit -v " + limit +
                                "; exec \"$0\" -j 4 --threads 2 \"$1\"",
                            fetchline_path(), origin_.url("/")});
    if (ended.code == 0) continue;
    expect(ended, 1, "Resource temporarily unavailable");
    if (ended.err.find("cannot start a thread") != std::string::npos) ++roles;
  }
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(roles, 3);
}

TEST_F(ExitCodes, Are2ForAPortInUse) {
  const FileDescriptor taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(taken.get(), 1), 0);
  ASSERT_EQ(getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string in_use = endpoint(ntohs(address.sin_port));
  expect(run(producer_path(), {"--bind", in_use, origin_.url("/")}), 2, in_use);
  expect(run(collector_path(), {"--bind", in_use}), 2, in_use);
  expect(run(collector_path(), {"--bind", in_use, "-o", output_}), 2, in_use);
  EXPECT_FALSE(std::filesystem::exists(output_)) << "it would be in the way of the next try";
}

void expect_no_endpoint(const std::string& bad, const std::string& said) {
  // Were it taken for one, the wait for its peer would be short.
  const Args brief = {"--peer-timeout", "1"};
  expect(run(collector_path(), brief + Args{"--bind", bad}), 2, "--bind: " + said);
  expect(run(producer_path(), brief + Args{"--bind", bad, "http://127.0.0.1/"}), 2,
         "--bind: " + said);
  const std::string good = endpoint(free_port());
  expect(
      run(producer_path(), brief + Args{"--bind", good, "--collector", bad, "http://127.0.0.1/"}),
      2, "--collector: ");
  expect(run(worker_path(), brief + Args{"--producer", bad, "--collector", good}), 2,
         "--producer: ");
  expect(run(worker_path(), brief + Args{"--producer", good, "--collector", bad}), 2,
         "--collector: ");
}

TEST_F(ExitCodes, Are2ForAnEndpointThatIsNone) {
  for (const std::string bad : {"nonsense", "udp://x:1"}) {
    expect_no_endpoint(bad, "cannot bind " + bad + ": ");
  }
  expect(run(collector_path(), {"--bind", "127.0.0.1:5556"}), 2,
         "an endpoint looks like tcp://127.0.0.1:5555");
}

TEST_F(ExitCodes, Are2ForAPortOutOfRange) {
  expect_no_endpoint("tcp://127.0.0.1:99999", "tcp://127.0.0.1:99999: port 99999 is out of range");
}

TEST_F(ExitCodes, Are12ForACollectorThatLostWhatItHadTaken) {
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  RunningProgram first(collector_path(), {"--bind", results});
  const RunningProgram worker(worker_path(), {"--producer", tasks, "--collector", results});
  RunningProgram producer(producer_path(), {"--bind", tasks, "--collector", results, "-i", "-"},
                          {.stdin_is_pipe = true});
  ASSERT_TRUE(producer.write(origin_.url("/0") + "\n"));
  ASSERT_TRUE(first.read_line().has_value());
  first.signal(SIGKILL);
  EXPECT_EQ(first.exit_code(), 128 + SIGKILL);
  const RunningProgram second(collector_path(), {"--bind", results});
  EXPECT_EQ(producer.exit_code(), 12) << producer.stderr_text();
  EXPECT_TRUE(producer.says("began anew and lacks what it had taken")) << producer.stderr_text();
}

class ExitCodesOf : public OnEachLayout {};
INSTANTIATE_TEST_SUITE_P(, ExitCodesOf, kEitherShape, name_of);

TEST_P(ExitCodesOf, Are9WhenTheReaderOfStdoutIsGone) {
  const Origin origin;
  Job job(GetParam(), {.tasks = {"-i", "-"}, .stdin_is_pipe = true});
  ASSERT_TRUE(job.reader().write(origin.url("/0") + "\n"));
  ASSERT_TRUE(job.writer().read_line().has_value());
  job.writer().close_stdout();
  ASSERT_TRUE(job.reader().write(origin.url("/1") + "\n"));
  EXPECT_EQ(job.writer().exit_code(), 9) << job.writer().stderr_text();
  EXPECT_TRUE(job.writer().says("stdout"));
}

}  // namespace
}  // namespace fetchline
