// What the programs take for keys, where they want some, and how keys are made.
#include <sys/stat.h>

#include <filesystem>

#include "tests/faults/fleet_keys.h"
#include "tests/integration/job.h"

namespace fetchline {
namespace {

class KeyFlags : public testing::Test {
 protected:
  // Were it accepted, the wait for its peer would be short.
  void expect_refused(const std::string& program, const Args& flags, const std::string& said) {
    const Ended ended = run(program, Args{"--peer-timeout", "1"} + flags);
    EXPECT_EQ(ended.code, 2) << ended.err;
    EXPECT_NE(ended.err.find(said), std::string::npos) << ended.err;
  }
  void expect_refused_by_all(const std::string& key, const std::string& authorized,
                             const std::string& said) {
    const Args flags = {"--key", key, "--authorized-keys", authorized};
    const std::string bind = endpoint(free_port());
    expect_refused(worker_path(), flags, said);
    expect_refused(collector_path(), Args{"--bind", bind} + flags, said);
    const Args task = {"http://127.0.0.1/"};
    expect_refused(producer_path(), Args{"--bind", bind} + flags + task, said);
    expect_refused(producer_path(), Args{"--dry-run"} + flags + task, said);
  }

  const TemporaryDirectory directory_;
  const FleetKeys keys_;
};

TEST_F(KeyFlags, NeedFilesThatAreThereAndThatOthersHaveNoPartIn) {
  const std::string none = directory_.file("none");
  expect_refused_by_all(none, keys_.authorized(),
                        "--key: " + none + ": cannot be read: No such file or directory");
  const std::string open = directory_.file("open");
  write_file(open, read_file(keys_.key(Role::worker)));
  ASSERT_EQ(chmod(open.c_str(), 0604), 0);
  expect_refused_by_all(open, keys_.authorized(),
                        "--key: " + open + ": can be used by others (mode 0604)");
  ASSERT_EQ(chmod(open.c_str(), 0640), 0);
  expect_refused_by_all(open, keys_.authorized(),
                        "--key: " + open + ": can be used by others (mode 0640); chmod go= takes");
  const std::string pipe = directory_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_refused_by_all(pipe, keys_.authorized(), "--key: " + pipe + ": is not a file");
  const Args worker = {"--key", keys_.key(Role::worker)};
  expect_refused(worker_path(), worker + Args{"--authorized-keys", none},
                 "--authorized-keys: " + none + ": cannot be read: No such file or directory");
  const std::string loose = directory_.file("loose");
  write_file(loose, read_file(keys_.authorized()));
  ASSERT_EQ(chmod(loose.c_str(), 0666), 0);
  expect_refused(worker_path(), worker + Args{"--authorized-keys", loose},
                 "--authorized-keys: " + loose + ": can be written by others (mode 0666)");
}

TEST_F(KeyFlags, MayBeReadByTheGroupThatAClusterGivesThemTo) {
  const std::string given = directory_.file("given");
  write_file(given, read_file(keys_.key(Role::worker)));
  if (chown(given.c_str(), 65534, getegid()) != 0) GTEST_SKIP() << "only root gives files away";
  const auto code = [&] {
    return run(worker_path(),
               {"--key", given, "--authorized-keys", keys_.authorized(), "--peer-timeout", "1"})
        .code;
  };
  ASSERT_EQ(chmod(given.c_str(), 0440), 0);
  EXPECT_EQ(code(), 10) << "nobody came";
  ASSERT_EQ(chmod(given.c_str(), 0444), 0);
  EXPECT_EQ(code(), 2);
}

TEST_F(KeyFlags, BelongTogether) {
  expect_refused(worker_path(), {"--key", keys_.key(Role::worker)},
                 "--key: needs --authorized-keys");
  expect_refused(worker_path(), {"--authorized-keys", keys_.authorized()},
                 "--authorized-keys: needs --key");
}

TEST_F(KeyFlags, MustBeOfTheRoleAndNameThoseItTalksTo) {
  expect_refused(collector_path(), keys_.flags(Role::worker),
                 "is the key of a worker, and this is a collector");
  const std::string few = directory_.file("few");
  write_file(few, "worker " + keys_.pair(Role::worker).public_key + "\n");
  expect_refused(collector_path(), {"--key", keys_.key(Role::collector), "--authorized-keys", few},
                 "--authorized-keys: " + few + ": has no key of a producer");
  write_file(few, "workers have no keys\n");
  expect_refused(collector_path(), {"--key", keys_.key(Role::collector), "--authorized-keys", few},
                 "--authorized-keys: " + few + ": line 1: does not begin with");
}

TEST_F(KeyFlags, AreKeysOfTheConfigFileAndVariablesToo) {
  write_file(directory_.file("toml"), "key = \"" + directory_.file("nowhere") + "\"\n");
  const Ended ended = run(worker_path(), {"--config", directory_.file("toml")},
                          {.environment = {{"FETCHLINE_AUTHORIZED_KEYS", keys_.authorized()}}});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("--key: " + directory_.file("nowhere")), std::string::npos) << ended.err;
}

TEST(Plaintext, IsBoundWhereOthersReachItOnlyWhenThatIsMeant) {
  const std::string open = "tcp://0.0.0.0:" + std::to_string(free_port());
  const Args brief = {"--bind", open, "--peer-timeout", "1"};
  const Args task = {"http://127.0.0.1/"};
  const std::string said = "--bind: " + open + " is open to other machines: give --key and";
  for (const Ended& ended : {run(collector_path(), brief), run(producer_path(), brief + task),
                             run(producer_path(), brief + task + Args{"--dry-run"})}) {
    EXPECT_EQ(ended.code, 2);
    EXPECT_NE(ended.err.find(said), std::string::npos) << ended.err;
  }
  const Args meant = {"--insecure-plaintext"};
  for (const Ended& ended :
       {run(collector_path(), brief + meant), run(producer_path(), brief + task + meant)}) {
    EXPECT_EQ(ended.code, 10);
    EXPECT_NE(ended.err.find("warning: --insecure-plaintext: whoever reaches " + open),
              std::string::npos)
        << ended.err;
  }
}

TEST(Plaintext, IsSpokenToOthersWithAWarningUnlessThatIsMeant) {
  const Args brief = {"--producer",          "tcp://192.0.2.1:5555", "--collector",
                      endpoint(free_port()), "--peer-timeout",       "1"};
  const std::string warning = "without --key nothing is encrypted";
  const Ended unsaid = run(worker_path(), brief);
  EXPECT_NE(unsaid.err.find("the producer at tcp://192.0.2.1:5555 can read"), std::string::npos);
  EXPECT_EQ(unsaid.err.find("the collector at"), unsaid.err.rfind("the collector at"));
  const Ended meant = run(worker_path(), brief + Args{"--insecure-plaintext"});
  EXPECT_EQ(meant.err.find(warning), std::string::npos) << meant.err;
}

TEST(Keygen, MakesFilesThatOnlyTheirOwnerReads) {
  const TemporaryDirectory directory;
  const std::string keys = directory.file("keys");
  const Ended made = run(fetchline_path(), {"keygen", keys});
  EXPECT_EQ(made.code, 0) << made.err;
  for (const char* name : {"producer.key", "worker.key", "collector.key", "authorized"}) {
    struct stat status {};
    ASSERT_EQ(stat((keys + "/" + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 07777, 0600U) << name;
    EXPECT_NE(made.out.find(keys + "/" + name), std::string::npos) << made.out;
  }
  EXPECT_EQ(parse_authorized_file(read_file(keys + "/authorized")).size(), 3U);
}

TEST(Keygen, OverwritesNothingAndLeavesNothingHalfMade) {
  const TemporaryDirectory directory;
  const std::string old = directory.file("authorized");
  write_file(old, "mine");
  const Ended refused = run(fetchline_path(), {"keygen", directory.path()});
  EXPECT_EQ(refused.code, 9);
  EXPECT_NE(refused.err.find(old + ": File exists"), std::string::npos) << refused.err;
  EXPECT_EQ(read_file(old), "mine");
  for (const char* name : {"producer.key", "worker.key", "collector.key"}) {
    EXPECT_FALSE(std::filesystem::exists(directory.file(name))) << name;
  }
}

TEST(Keygen, SaysHowItIsUsed) {
  const Ended help = run(fetchline_path(), {"keygen", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out.rfind("Usage: fetchline keygen DIR", 0), 0U) << help.out;
  for (const Args& wrong : {Args{"keygen"}, Args{"keygen", "a", "b"}, Args{"keygen", "--x"}}) {
    EXPECT_EQ(run(fetchline_path(), wrong).code, 2);
  }
}

}  // namespace
}  // namespace fetchline
