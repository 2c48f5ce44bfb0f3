// One job's records are the next one's input, over a pipe or from a file.
#include <csignal>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

class Stages : public testing::Test {
 protected:
  // A page that lists these.
  [[nodiscard]] std::string list_url(const std::vector<std::string>& targets) const {
    return origin_.url("/list?body=" + percent_encoded(urls_of(origin_, targets)));
  }
  [[nodiscard]] static Args shell(const std::string& command) { return {"-c", command}; }
  [[nodiscard]] static std::string quiet() { return fetchline_path() + " -q "; }
  [[nodiscard]] static std::vector<std::string> urls_in(const std::string& records) {
    std::vector<std::string> urls;
    for (const auto& record : parse_records(records)) urls.push_back(record.at("url"));
    return urls;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
};

TEST_F(Stages, BeginATaskAsSoonAsItsRecordArrives) {
  RunningProgram pipe("/bin/sh",
                      shell(quiet() + "-i - --emit body-lines | " + quiet() + "-i - --no-headers"),
                      {.stdin_is_pipe = true});
  std::size_t index = 0;
  for (const char* name : {"/a", "/b", "/c"}) {
    ASSERT_TRUE(pipe.write(list_url({name, name + std::string("2")}) + "\n"));
    for (const std::string& target : {std::string(name), name + std::string("2")}) {
      const auto line = pipe.read_line();
      ASSERT_TRUE(line) << pipe.stderr_text();
      const auto record = nlohmann::json::parse(*line);
      EXPECT_EQ(record["url"], origin_.url(target));
      EXPECT_EQ(record["index"], index++);
    }
  }
  pipe.close_stdin();
  EXPECT_EQ(pipe.exit_code(), 0);
}

TEST_F(Stages, AreTheSameWhicheverOfThemHasTheRule) {
  const std::string body =
      R"({"a":[")" + origin_.url("/1") + R"(",{"url":")" + origin_.url("/2") + R"(","id":"two"}]})";
  const std::string list = "'" + origin_.url("/json?body=" + percent_encoded(body)) + "' ";
  const std::string bad = "'" + origin_.url("/gone?status=404") + "' ";
  const std::string first = quiet() + list + bad + list, second = " | " + quiet() + "-i - ";
  const std::string rule = "--emit json:/a ";
  const Ended before = run("/bin/sh", shell(first + rule + second));
  const Ended behind = run("/bin/sh", shell(first + second + rule));
  const std::vector<std::string> expected = {origin_.url("/1"), origin_.url("/2"),
                                             origin_.url("/1"), origin_.url("/2")};
  EXPECT_EQ(urls_in(before.out), expected) << before.err;
  EXPECT_EQ(urls_in(behind.out), expected) << behind.err;
  EXPECT_EQ(parse_records(behind.out).at(3)["id"], "two");
}

TEST_F(Stages, MayBeThreeAndGoOverFiles) {
  const std::string inner = urls_of(origin_, {"/x", "/y"});
  const std::string outer = origin_.url("/list?body=" + percent_encoded(inner)) + "\n";
  const std::string url = origin_.url("/list?body=" + percent_encoded(outer));
  const std::string one = directory_.file("1"), two = directory_.file("2");
  EXPECT_EQ(run(fetchline_path(), {url, "-o", one, "--emit", "body-lines", "--no-body"}).code, 0);
  EXPECT_EQ(run(fetchline_path(), {"-i", one, "-o", two}).code, 0);
  const Ended last = run(fetchline_path(), {"-i", two});
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(urls_in(last.out), (std::vector<std::string>{origin_.url("/x"), origin_.url("/y")}));
}

TEST_F(Stages, SayWhichRecordAndLineIsAtFault) {
  const std::string record = R"({"index":0,"outcome":"ok","url":"http://r/","emit":[")";
  write_file(directory_.file("in"), origin_.url("/first") + "\n" + record + "nourl\",\"" +
                                        origin_.url("/second") + "\"]}\n" + record + "torn\n" +
                                        origin_.url("/third") + "\n");
  const Ended ended = run(fetchline_path(), {"-i", directory_.file("in")});
  EXPECT_EQ(ended.code, 4);
  const Records records = parse_records(ended.out);
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[1]["errormsg"], "line 2, emit 1: no scheme");
  EXPECT_EQ(records[2]["url"], origin_.url("/second"));
  EXPECT_TRUE(records[3]["errormsg"].get<std::string>().starts_with("line 3: bad JSON: "));
  EXPECT_EQ(records[4]["url"], origin_.url("/third"));
  const Ended dry = run(fetchline_path(), {"-i", directory_.file("in"), "--dry-run"});
  EXPECT_NE(dry.err.find("would fetch 3 tasks"), std::string::npos) << dry.err;
  EXPECT_NE(dry.err.find("line 2, emit 1: no scheme"), std::string::npos) << dry.err;
}

// The stage before is run again, too: its records have other times, and go on to the same tasks.
TEST_F(Stages, GoOnWhereTheyWereWhenTheyAreFedAgain) {
  constexpr std::size_t kTasks = 40, kStuck = 20;
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < kTasks; ++i) {
    targets.push_back("/t" + std::to_string(i) + (i == kStuck ? "?delay=60000" : ""));
  }
  const std::string list = "'" + list_url(targets) + "'";
  const std::string output = directory_.file("out");
  const Ended first = run("/bin/sh", shell(quiet() + list + " --emit body-lines"));
  EXPECT_EQ(first.code, 0) << first.err;
  const Args args = {"-i", "-", "-o", output, "--retry", "0", "--resume"};
  RunningProgram second(fetchline_path(), args, {.stdin_is_pipe = true});
  ASSERT_TRUE(second.write(first.out));
  second.close_stdin();
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(output); }));
  EXPECT_TRUE(eventually([&] {
    const std::string text = read_file(output);
    return static_cast<std::size_t>(std::ranges::count(text, '\n')) == kStuck &&
           origin_.requests() == kTasks + 1;
  })) << second.stderr_text();
  const std::string segment = output + ".spill/segment-00000001";
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(segment) &&
           read_file(segment).find(targets.back()) != std::string::npos;
  }));
  second.signal(SIGKILL);
  EXPECT_EQ(second.exit_code(), 128 + SIGKILL);

  const std::string other = list_url({"/other"});
  const Ended refused = run("/bin/sh", shell(quiet() + "'" + other + "' --emit body-lines | " +
                                             quiet() + "-i - --resume -o " + output));
  EXPECT_EQ(refused.code, 3) << refused.err;
  const std::size_t before = origin_.requests();
  const Ended again = run("/bin/sh", shell(quiet() + list + " --emit body-lines | " + quiet() +
                                           "-i - --retry 0 -m 1 --resume -o " + output));
  EXPECT_EQ(again.code, 4) << again.err;
  EXPECT_EQ(origin_.requests(), before + 2) << "the list and the task that was stuck";
  const Records all = read_records(output);
  ASSERT_EQ(all.size(), kTasks);
  for (std::size_t i = 0; i < kTasks; ++i) EXPECT_EQ(all[i]["url"], origin_.url(targets[i]));
}

}  // namespace
}  // namespace fetchline
