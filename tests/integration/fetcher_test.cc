// What a fetcher makes of an origin's answers, over real sockets.
#include "tests/integration/fetcher_bench.h"

namespace fetchline {
namespace {

TEST(Fetcher, FillsTheRecordOfAnOrdinaryAnswer) {
  const Origin origin;
  Bench bench;
  Task task = task_of(origin.url("/a?size=1000&type=text/html"));
  task.index = 7;
  task.attempt = 3;
  task.id = "mine";
  task.meta = "{}";
  task.output = "a.html";
  const Fetched fetched = bench.get(task);
  const Result& result = fetched.result;
  EXPECT_EQ(fetched.job, kJob);
  EXPECT_FALSE(fetched.transient);
  EXPECT_EQ(result.outcome, Outcome::ok);
  EXPECT_EQ(result.index, 7U);
  EXPECT_EQ(result.attempts, 3U);
  EXPECT_EQ(result.id, "mine");
  EXPECT_EQ(result.meta, "{}");
  EXPECT_EQ(result.output, "a.html");
  EXPECT_EQ(result.url, task.url);
  EXPECT_EQ(result.url_effective, "");
  EXPECT_EQ(result.method, "GET");
  EXPECT_EQ(result.response_code, 200);
  EXPECT_EQ(result.exitcode, 0);
  EXPECT_EQ(result.errormsg, "");
  EXPECT_EQ(result.http_version, "1.1");
  EXPECT_EQ(result.content_type, "text/html");
  EXPECT_EQ(result.remote_ip, "127.0.0.1");
  EXPECT_EQ(result.num_redirects, 0U);
  EXPECT_EQ(result.size_download, 1000U);
  EXPECT_EQ(result.worker, "test:1");
  EXPECT_EQ(result.header_block, "Content-Type: text/html\r\nContent-Length: 1000\r\n");
  EXPECT_EQ(result.body, origin_body("/a?size=1000&type=text/html"));
  EXPECT_GT(result.time_total.count(), 0);
  EXPECT_LE(result.time_starttransfer, result.time_total);
  EXPECT_GT(result.fetched_at, std::chrono::hours(24 * 365 * 50));
}

TEST(Fetcher, KeepsTheBodyOfAnAnswerThatIsNotOk) {
  const Origin origin;
  Bench bench;
  const Fetched fetched = bench.get(origin.url("/none?status=404"));
  EXPECT_EQ(fetched.result.outcome, Outcome::http_error);
  EXPECT_EQ(fetched.result.response_code, 404);
  EXPECT_EQ(fetched.result.errormsg, "");
  EXPECT_EQ(fetched.result.body, "/none?status=404");
  EXPECT_FALSE(fetched.transient);
}

TEST(Fetcher, TakesForOkWhatTheJobAccepts) {
  const Origin origin;
  JobSettings settings;
  settings.accept = {{404, 404}};
  Bench bench(settings);
  EXPECT_EQ(bench.get(origin.url("/?status=404")).result.outcome, Outcome::ok);
  EXPECT_EQ(bench.get(origin.url("/?status=200")).result.outcome, Outcome::http_error);
}

TEST(Fetcher, PassesOnHowLongTheOriginWantsToBeLeftAlone) {
  const Origin origin;
  Bench bench;
  const Fetched busy = bench.get(origin.url("/?status=429&retry_after=17"));
  EXPECT_TRUE(busy.transient);
  EXPECT_EQ(busy.retry_after, seconds(17));
  const Fetched dated =
      bench.get(origin.url("/?status=503&retry_after=Sun,%2006%20Nov%201994%2008:49:37%20GMT"));
  EXPECT_TRUE(dated.transient);
  EXPECT_EQ(dated.retry_after, seconds(0));
  EXPECT_EQ(bench.get(origin.url("/?status=503")).retry_after, std::nullopt);
}

TEST(Fetcher, SucceedsWhenTheOriginHasRecovered) {
  const Origin origin;
  Bench bench;
  EXPECT_TRUE(bench.get(origin.url("/?fail=1")).transient);
  EXPECT_EQ(bench.get(origin.url("/?fail=1")).result.outcome, Outcome::ok);
}

TEST(Fetcher, DecodesGzipAndChunksAndKeepsBinaryBytes) {
  const Origin origin;
  Bench bench;
  for (const char* target : {"/?gzip=300000", "/?gzip=300000&chunked=1", "/?size=300000&chunked=1",
                             "/?binary=1&size=1000", "/?size=0", "/?size=3000000"}) {
    const Result result = bench.get(origin.url(target)).result;
    EXPECT_EQ(result.outcome, Outcome::ok) << target;
    EXPECT_TRUE(result.body == origin_body(target)) << target;
    EXPECT_FALSE(contains(result.header_block, "X-Trailer")) << target;
  }
  const Result packed = bench.get(origin.url("/?gzip=300000")).result;
  EXPECT_LT(packed.size_download, 30'000U) << "counted on the wire";
}

TEST(Fetcher, LeavesBytesAsTheyAreWhenItIsNotToDecode) {
  const Origin origin;
  JobSettings settings;
  settings.compressed = false;
  Bench bench(settings);
  EXPECT_TRUE(bench.get(origin.url("/?gzip=1000")).result.body.starts_with("\x1f\x8b"));
  EXPECT_FALSE(contains(bench.get(origin.url("/?echo=1")).result.body, "Accept-Encoding"));
}

TEST(Fetcher, SaysWhenItCannotDecode) {
  const Origin origin;
  Bench bench;
  const Fetched fetched = bench.get(origin.url("/?encoding=rot13"));
  EXPECT_EQ(fetched.result.outcome, Outcome::unsupported_encoding);
  EXPECT_EQ(fetched.result.response_code, 200);
  EXPECT_NE(fetched.result.errormsg, "");
  EXPECT_EQ(fetched.result.body, "");
  EXPECT_FALSE(fetched.transient);
  EXPECT_EQ(bench.get(origin.url("/?encoding=gzip")).result.outcome, Outcome::unsupported_encoding)
      << "claimed to be gzip and is not";
}

TEST(Fetcher, TimesOut) {
  const Origin origin;
  JobSettings settings;
  settings.max_time = milliseconds(150);
  Bench bench(settings);
  const Fetched fetched = bench.get(origin.url("/?hang=1"));
  EXPECT_EQ(fetched.result.outcome, Outcome::timeout);
  EXPECT_EQ(fetched.result.exitcode, 28);
  EXPECT_TRUE(contains(fetched.result.errormsg, "timed out")) << fetched.result.errormsg;
  EXPECT_TRUE(fetched.transient);
  EXPECT_EQ(bench.get(origin.url("/?drip=20&size=1000")).result.outcome, Outcome::timeout);
}

TEST(Fetcher, TakesTheTasksTimeBeforeTheJobsAndForgetsItAfterwards) {
  const Origin origin;
  Bench bench;
  Task hurried = task_of(origin.url("/?hang=1"));
  hurried.max_time = milliseconds(100);
  EXPECT_EQ(bench.get(hurried).result.outcome, Outcome::timeout);
  EXPECT_EQ(bench.get(origin.url("/?delay=300")).result.outcome, Outcome::ok);
}

TEST(Fetcher, GivesUpOnADrip) {
  const Origin origin;
  JobSettings settings;
  settings.speed_limit = 1000;
  settings.speed_time = seconds(1);
  Bench bench(settings);
  EXPECT_EQ(bench.get(origin.url("/?drip=50&size=5000")).result.outcome, Outcome::timeout);
}

TEST(Fetcher, TellsConnectAndNameFailuresApart) {
  Bench bench;
  const Fetched refused = bench.get(refusing_url());
  EXPECT_EQ(refused.result.outcome, Outcome::connect_error);
  EXPECT_EQ(refused.result.exitcode, 7);
  EXPECT_EQ(refused.result.response_code, 0);
  EXPECT_EQ(refused.result.http_version, "");
  EXPECT_TRUE(refused.transient);
  const Fetched unknown = bench.get("http://name.invalid/");
  EXPECT_EQ(unknown.result.outcome, Outcome::dns_error);
  EXPECT_TRUE(unknown.transient);
}

TEST(Fetcher, SaysThatAPeerDoesNotSpeakTls) {
  const Origin origin;
  Bench bench;
  const Fetched fetched = bench.get("https://127.0.0.1:" + std::to_string(origin.port()) + "/");
  EXPECT_EQ(fetched.result.outcome, Outcome::tls_error) << fetched.result.errormsg;
  EXPECT_EQ(fetched.result.exitcode, 35);
  EXPECT_FALSE(fetched.transient);
}

TEST(Fetcher, ReportsConnectionsThatBreakOff) {
  const Origin origin;
  Bench bench;
  for (const char* target :
       {"/?cut=1&size=1000", "/?reset=1&size=1000", "/?drop=1", "/?cut=1&chunked=1&drop=1"}) {
    const Fetched fetched = bench.get(origin.url(target));
    EXPECT_EQ(fetched.result.outcome, Outcome::reset) << target;
    EXPECT_NE(fetched.result.errormsg, "") << target;
    EXPECT_EQ(fetched.result.body, "") << "whole or absent " << target;
    EXPECT_TRUE(fetched.transient) << target;
  }
}

TEST(Fetcher, StopsABodyBeyondTheCapAfterDecoding) {
  const Origin origin;
  JobSettings settings;
  settings.max_filesize_bytes = 100'000;
  Bench bench(settings);
  for (const char* target : {"/?size=100001", "/?size=100001&chunked=1", "/?gzip=50000000",
                             "/?gzip=50000000&chunked=1", "/?size=5000000&drip=0"}) {
    const Fetched fetched = bench.get(origin.url(target));
    EXPECT_EQ(fetched.result.outcome, Outcome::too_large) << target;
    EXPECT_EQ(fetched.result.exitcode, 63) << target;
    EXPECT_EQ(fetched.result.errormsg, "Maximum file size exceeded");
    EXPECT_EQ(fetched.result.response_code, 200);
    EXPECT_EQ(fetched.result.body, "") << target;
    EXPECT_FALSE(fetched.transient) << target;
  }
  EXPECT_GT(bench.get(origin.url("/?size=900000&chunked=1")).result.size_download, 50'000U);
  for (const char* target : {"/?size=100000", "/?size=100000&chunked=1", "/?gzip=100000"}) {
    EXPECT_EQ(bench.get(origin.url(target)).result.body.size(), 100'000U) << target;
  }
}

TEST(Fetcher, StopsFloodsOfHeaders) {
  const Origin origin;
  Bench bench;
  const auto stopped_with = [&](const char* target) {
    const Fetched fetched = bench.get(origin.url(target));
    EXPECT_EQ(fetched.result.outcome, Outcome::reset) << target;
    EXPECT_EQ(fetched.result.exitcode, 56) << target;
    return fetched.result.errormsg;
  };
  EXPECT_EQ(stopped_with("/?headers=300"), "More than 256 header lines in one response");
  EXPECT_EQ(stopped_with("/?headers=100&header_size=1000"),
            "More than 64 KiB of headers in one response");
  EXPECT_EQ(stopped_with("/?interim=9"), "More than 8 interim (1xx) responses");
  EXPECT_EQ(stopped_with("/?interim=20000"), "More than 8 interim (1xx) responses");
  EXPECT_EQ(bench.get(origin.url("/?headers=200&interim=8")).result.outcome, Outcome::ok);
}

TEST(Fetcher, RefusesWhatIsNoTask) {
  const Origin origin;
  Bench bench;
  for (const char* url : {"http://", "http://[::1", "http://a b/", "file:///etc/passwd", "",
                          "http://127.0.0.1:99999/"}) {
    const Fetched fetched = bench.get(std::string(url));
    EXPECT_EQ(fetched.result.outcome, Outcome::invalid_task) << url;
    EXPECT_NE(fetched.result.errormsg, "") << url;
    EXPECT_FALSE(fetched.transient) << url;
  }
  Task smuggling = task_of(origin.url("/"));
  smuggling.headers = {"A: b\r\n\r\nGET /admin HTTP/1.1"};
  EXPECT_EQ(bench.get(smuggling).result.outcome, Outcome::invalid_task);
  std::string too_long = "http://a/";
  too_long.resize(9'000'000, 'x');
  EXPECT_EQ(bench.get(too_long).result.outcome, Outcome::invalid_task);
  EXPECT_EQ(origin.requests(), 0U);
  const Result next = bench.get(origin.url("/")).result;
  EXPECT_EQ(next.outcome, Outcome::ok) << next.exitcode << " " << next.errormsg;
}

}  // namespace
}  // namespace fetchline
