// What the programs tell over HTTP while they work, whoever asks and however.
#include "proto/sockets.h"
#include "tests/collector/temporary_directory.h"
#include "tests/integration/browser.h"
#include "tests/integration/program.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

// One of the programs, watched.
struct Watched {
  explicit Watched(const std::string& path, const Args& args)
      : port(free_port()),
        program(path, args + Args{"--http", local(port)}, {.stdin_is_pipe = true}) {}

  [[nodiscard]] bool is_ready() const { return get(port, "/ready").ok(); }
  // It answers, is not ready, and names who is missing.
  [[nodiscard]] bool waits_for(const std::string& whom) const {
    const Page page = get(port, "/ready");
    return page.status == 503 && page.body.find("waiting for " + whom) != std::string::npos;
  }

  const std::uint16_t port;
  RunningProgram program;
};

class Watch : public testing::Test {
 protected:
  std::string lines(std::size_t count, const std::string& query) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += origin_.url("/" + std::to_string(next_++) + query) + "\n";
    }
    return text;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  std::size_t next_ = 0;
};

TEST_F(Watch, NamesTheSlowTaskThatAllOthersWaitFor) {
  Watched whole(fetchline_path(), {"-i", "-", "-j", "10"});
  std::string slow = origin_.url("/slow?hang=1");
  slow.insert(slow.find("//") + 2, "user:secret@");
  whole.program.write(slow + "\n" + lines(20, ""));
  json status;
  EXPECT_TRUE(eventually([&] {
    status = status_of(whole.port);
    return status.is_object() && status["collector"]["waiting"] == 20 &&
           status["producer"]["head"]["age_seconds"] >= 0.3;
  })) << status;
  const json& head = status["producer"]["head"];
  EXPECT_EQ(head["index"], 0);
  EXPECT_EQ(head["state"], "running");
  EXPECT_EQ(head["url"], origin_.url("/slow?hang=1"));
  EXPECT_EQ(head["worker"], status["name"]);
  EXPECT_EQ(head["attempt"], 1);
  const std::string why = status["producer"]["why_slow"];
  EXPECT_TRUE(why.starts_with("task 0 (" + origin_.url("/slow") + "?hang=1, attempt 1) runs at "))
      << why;
  EXPECT_EQ(status.dump().find("secret"), std::string::npos);
  EXPECT_EQ(status["producer"]["tasks_read"], 21);
  EXPECT_EQ(status["producer"]["input_ended"], false);
  EXPECT_EQ(status["producer"]["in_flight"], 1);
  EXPECT_EQ(status["worker"]["running"], 1);
  EXPECT_EQ(status["worker"]["transfers"]["ok"], 20);
  EXPECT_EQ(status["collector"]["records"], 0);
  EXPECT_EQ(status["collector"]["head"]["index"], 0);
  EXPECT_GE(status["collector"]["head"]["age_seconds"], 0.3);
  const std::string waits = status["collector"]["why_slow"];
  EXPECT_TRUE(waits.starts_with("waiting for the result of task 0 for ")) << waits;
  EXPECT_EQ(status["collector"]["window"]["end"], 21);
  EXPECT_TRUE(status["ready"]);
  EXPECT_TRUE(whole.is_ready());
}

TEST_F(Watch, SaysAtTheEndWhatTheOutputSays) {
  Watched whole(fetchline_path(), {"-i", "-"});
  whole.program.write(lines(50, "?size=100") + lines(7, "?status=404") + "no url\n");
  json status;  // its parts are counted by threads of their own: they agree when all is done
  EXPECT_TRUE(eventually([&] {
    status = status_of(whole.port);
    return status.is_object() && status["collector"]["records"] == 58 &&
           status["producer"]["finished"] == 58 && status["progress"]["ok"] == 50 &&
           status["progress"]["failed"] == 8 &&
           status["producer"]["why_slow"] == "waiting for input" &&
           status["collector"]["body_bytes"] == status["worker"]["received_bytes"];
  })) << status;
  whole.program.close_stdin();
  EXPECT_EQ(whole.program.exit_code(), 4);
  const Records records = parse_records(whole.program.stdout_text());
  std::size_t body_bytes = 0;
  for (const json& record : records) body_bytes += body_of(record).size();
  EXPECT_EQ(status["collector"]["outcomes"].get<Outcomes>(), outcomes_of(records));
  EXPECT_EQ(status["collector"]["body_bytes"], body_bytes);
  EXPECT_EQ(status["progress"]["done"], 58);
  EXPECT_EQ(status["progress"]["bytes_out"], body_bytes);
}

// Whether the program's progress is this now, as /status tells it.
bool shows(const Watched& program, int done, int ok, int failed) {
  const json status = status_of(program.port);
  if (!status.is_object()) return false;  // it has only just begun
  const json& progress = status.at("progress");
  return progress["done"] == done && progress["ok"] == ok && progress["failed"] == failed;
}

// What the last line of --progress json says.
json last_progress(const std::string& text) {
  const std::size_t from = text.rfind("{\"type\":\"progress\"");
  return from == std::string::npos ? json()
                                   : json::parse(text.substr(from, text.find('\n', from) - from));
}

TEST_F(Watch, EveryProgramOfAFleetTellsWhatFailed) {
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  const Args as_json = {"--progress", "json"};
  Watched collector(collector_path(), Args{"--bind", results} + as_json);
  Watched producer(producer_path(),
                   Args{"--bind", tasks, "--collector", results, "-i", "-"} + as_json);
  Watched worker(worker_path(), Args{"--producer", tasks, "--collector", results} + as_json);
  producer.program.write(lines(20, "") + lines(9, "?status=404") + "no url\n");
  // The worker does not see what is no task.
  EXPECT_TRUE(eventually([&] { return shows(collector, 30, 20, 10); }));
  // A result may be safe before its worker's report has come: until the end it counts as ok.
  EXPECT_TRUE(eventually([&] {
    const json status = status_of(producer.port);
    return status.is_object() && status.at("progress")["done"] == 30;
  }));
  EXPECT_TRUE(eventually([&] { return shows(worker, 29, 20, 9); }));
  producer.program.close_stdin();
  for (Watched* one : {&collector, &producer, &worker}) {
    EXPECT_EQ(one->program.exit_code(), one == &worker ? 0 : 4);
    const json last = last_progress(one->program.stderr_text());
    EXPECT_EQ(last["failed"], one == &worker ? 9 : 10) << one->program.stderr_text();
    EXPECT_EQ(last["ok"], 20);
  }
}

TEST_F(Watch, IsReadyWhenEverybodyIsThere) {
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  Watched collector(collector_path(), {"--bind", results});
  EXPECT_TRUE(eventually([&] { return collector.waits_for("a producer"); }));
  EXPECT_TRUE(get(collector.port, "/ping").ok());
  Watched producer(producer_path(), {"--bind", tasks, "--collector", results, "-i", "-"});
  producer.program.write(lines(1, ""));
  EXPECT_TRUE(eventually([&] { return producer.waits_for("a worker at " + tasks); }));
  EXPECT_TRUE(get(producer.port, "/ping").ok());
  EXPECT_TRUE(eventually([&] { return collector.is_ready(); }));
  Watched worker(worker_path(), {"--producer", tasks, "--collector", results});
  for (const Watched* one : {&producer, &worker, &collector}) {
    EXPECT_TRUE(eventually([&] { return one->is_ready(); })) << get(one->port, "/ready").body;
  }
  EXPECT_TRUE(eventually([&] { return status_of(producer.port)["progress"]["done"] == 1; }));
  // One look serves everybody who asks within 200 ms.
  EXPECT_TRUE(eventually([&] { return status_of(worker.port)["worker"]["transfers"]["ok"] == 1; }));
  EXPECT_TRUE(
      eventually([&] { return status_of(collector.port)["collector"]["outcomes"]["ok"] == 1; }));
  producer.program.close_stdin();
  EXPECT_EQ(collector.program.exit_code(), 0);
  EXPECT_EQ(producer.program.exit_code(), 0);
  EXPECT_EQ(worker.program.exit_code(), 0);
}

TEST_F(Watch, IsNotReadyAnyMoreWhenItsWorkersAreGone) {
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  RunningProgram collector(collector_path(), {"--bind", results});
  Watched producer(producer_path(), {"--bind", tasks, "--collector", results, "-i", "-"});
  producer.program.write(lines(1, "?hang=1"));
  {
    const RunningProgram worker(worker_path(), {"--producer", tasks, "--collector", results});
    EXPECT_TRUE(eventually([&] { return producer.is_ready() && origin_.requests() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return producer.waits_for("a worker at " + tasks); }));
  EXPECT_TRUE(
      eventually([&] { return status_of(producer.port)["producer"]["workers_lost"] == 1; }));
}

// Says two things that are no stranger's to say, and one that is nothing.
void talk_nonsense(const std::string& to, const std::function<Frames()>& wrong) {
  zmq::context_t context = make_context(1);
  zmq::socket_t stranger = connect_to(context, to);
  Frames garbage;
  garbage.emplace_back("garbage", 7);
  std::vector<Frames> all;
  all.push_back(wrong());
  all.push_back(wrong());
  all.push_back(std::move(garbage));
  for (Frames& frames : all) {
    EXPECT_TRUE(eventually([&] { return send(stranger, frames) == SendResult::sent; }));
  }
}

TEST_F(Watch, CountsEachDroppedMessageOnce) {
  const std::string tasks = endpoint(free_port()), results = endpoint(free_port());
  const Watched collector(collector_path(), {"--bind", results});
  const Watched producer(producer_path(), {"--bind", tasks, "--collector", results, "-i", "-"});
  talk_nonsense(tasks, [] { return encode({}, {}, State{}); });
  talk_nonsense(results, [] { return encode({}, {}, Tasks{}); });
  for (const auto& [role, watched] :
       {std::pair("producer", &producer), {"collector", &collector}}) {
    json dropped;
    EXPECT_TRUE(eventually([&] {
      const json status = status_of(watched->port);
      dropped = status.is_object() ? status[role]["dropped_messages"] : json();
      return dropped == 3;
    })) << role
        << " says " << dropped;
  }
}

TEST_F(Watch, ServesPagesOnly) {
  const Watched whole(fetchline_path(), {"-i", "-"});
  EXPECT_TRUE(eventually([&] { return get(whole.port, "/ping").ok(); }));
  const Page page = get(whole.port, "/");
  EXPECT_NE(page.head.find("Content-Type: text/html"), std::string::npos);
  EXPECT_NE(page.head.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(page.body.find("live.js"), std::string::npos);
  for (const char* path : {"/live.js", "/live.css", "/metrics", "/status?x=1"}) {
    EXPECT_TRUE(get(whole.port, path).ok()) << path;
  }
  EXPECT_EQ(get(whole.port, "/etc/passwd").status, 404);
  EXPECT_EQ(ask(whole.port, "POST /ping HTTP/1.1\r\n\r\n").status, 405);
  EXPECT_EQ(ask(whole.port, "HEAD /ping HTTP/1.1\r\n\r\n").body, "");
  EXPECT_EQ(ask(whole.port, "nonsense\r\n\r\n").status, 400);
}

TEST_F(Watch, AnswersProbesUnderSiegeAndTheJobGoesOn) {
  Watched whole(fetchline_path(), {"-i", "-"});
  EXPECT_TRUE(eventually([&] { return get(whole.port, "/ping").ok(); }));
  std::vector<FileDescriptor> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(connection_that_says(whole.port, i % 2 == 0 ? "" : "GET /sta"));
  }
  EXPECT_TRUE(get(whole.port, "/ping").ok());
  const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(std::size_t{32} << 20, 'a');
  (void)connection_that_says(whole.port, endless);
  whole.program.write(lines(100, ""));
  for (const char* path : {"/ping", "/ready", "/status", "/metrics"}) {
    EXPECT_TRUE(get(whole.port, path).ok()) << path;
  }
  whole.program.close_stdin();
  EXPECT_EQ(whole.program.exit_code(), 0);
  EXPECT_EQ(parse_records(whole.program.stdout_text()).size(), 100U);
  EXPECT_LT(whole.program.peak_memory_bytes(), std::uint64_t{300} << 20);
}

TEST_F(Watch, EndsInTimeWhoeverIsStillConnected) {
  Watched whole(fetchline_path(), {"-i", "-"});
  EXPECT_TRUE(eventually([&] { return get(whole.port, "/ping").ok(); }));
  const FileDescriptor idle = connection_that_says(whole.port, "GET /");
  const auto asked = Clock::now();
  whole.program.close_stdin();
  EXPECT_EQ(whole.program.exit_code(), 0);
  EXPECT_LT(Clock::now() - asked, std::chrono::seconds(4)) << "as long as a connection may last";
}

TEST_F(Watch, RefusesAnAddressThatIsNone) {
  const std::map<std::string, Args> programs = {
      {fetchline_path(), {origin_.url("/")}},
      {producer_path(), {"--bind", endpoint(free_port()), "--collector", endpoint(1), "-i", "-"}},
      {worker_path(), {"--producer", endpoint(1), "--collector", endpoint(1)}},
      {collector_path(), {"--bind", endpoint(free_port())}}};
  for (const auto& [path, args] : programs) {
    for (const std::string wrong : {"8080", "127.0.0.1:http", "127.0.0.1:70000", "::1:80"}) {
      const Ended ended = run(path, args + Args{"--http", wrong});
      EXPECT_EQ(ended.code, 2) << path;
      EXPECT_NE(ended.err.find("--http: \"" + wrong + "\" is not ADDR:PORT"), std::string::npos)
          << ended.err;
    }
  }
}

TEST_F(Watch, AnswersNobodyBeforeItHasAnAnswer) {
  for (int i = 0; i < 5; ++i) {
    const Watched alone(collector_path(), {"--bind", endpoint(free_port())});
    Page first;
    EXPECT_TRUE(eventually([&] {
      first = get(alone.port, "/ready");
      return first.status != 0;
    }));
    EXPECT_EQ(first.status, 503);
  }
}

TEST_F(Watch, RefusesAPortThatIsTaken) {
  const Watched first(fetchline_path(), {"-i", "-"});
  EXPECT_TRUE(eventually([&] { return get(first.port, "/ping").ok(); }));
  const Ended second = run(fetchline_path(), {origin_.url("/"), "--http", local(first.port)});
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(
      second.err.find("--http: cannot listen at " + local(first.port) + ": Address already in use"),
      std::string::npos)
      << second.err;
  EXPECT_EQ(origin_.requests(), 0U);
}

TEST_F(Watch, WarnsWhenOthersMayLook) {
  constexpr const char* kWarning = "--http: shows URLs";
  const Args url = {origin_.url("/")};
  EXPECT_NE(run(fetchline_path(), url + Args{"--http", "0.0.0.0:0"}).err.find(kWarning),
            std::string::npos);
  EXPECT_EQ(run(fetchline_path(), url + Args{"--http", "127.0.0.1:0"}).err.find(kWarning),
            std::string::npos);
}

}  // namespace
}  // namespace fetchline
