// What a fetcher asks of origins: methods, headers, redirects, proxies, repetitions.
#include <cstdlib>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/fetcher_bench.h"

namespace fetchline {
namespace {

TEST(FetcherRequest, SaysWhoItIsAndWhatItTakes) {
  const Origin origin;
  Bench bench;
  const std::string asked = bench.get(origin.url("/?echo=1")).result.body;
  EXPECT_TRUE(contains(asked, "GET /?echo=1 HTTP/1.1\r\n")) << asked;
  EXPECT_TRUE(contains(asked, "User-Agent: fetchline/" FETCHLINE_VERSION "\r\n")) << asked;
  EXPECT_TRUE(contains(asked, "Accept-Encoding: deflate, gzip")) << asked;
}

TEST(FetcherRequest, FollowsRedirectsAndTellsWhereItCame) {
  const Origin origin;
  Bench bench;
  const Result result = bench.get(origin.url("/from?location=/to")).result;
  EXPECT_EQ(result.outcome, Outcome::ok);
  EXPECT_EQ(result.url, origin.url("/from?location=/to"));
  EXPECT_EQ(result.url_effective, origin.url("/to"));
  EXPECT_EQ(result.num_redirects, 1U);
  EXPECT_EQ(result.body, "/to");
  EXPECT_EQ(result.header_block, "Content-Type: text/plain\r\nContent-Length: 3\r\n");
}

TEST(FetcherRequest, StopsFollowingAfterTheJobsNumberOfRedirects) {
  const Origin origin;
  JobSettings settings;
  settings.max_redirs = 3;
  Bench bench(settings);
  const Fetched fetched = bench.get(origin.url("/?loop=1"));
  EXPECT_EQ(fetched.result.outcome, Outcome::too_many_redirects);
  EXPECT_EQ(fetched.result.num_redirects, 3U);
  EXPECT_EQ(fetched.result.exitcode, 47);
  EXPECT_FALSE(fetched.transient);
  EXPECT_EQ(origin.requests(), 4U);
}

TEST(FetcherRequest, DoesNotFollowWhenTheJobSaysSo) {
  const Origin origin;
  JobSettings settings;
  settings.follow_location = false;
  Bench bench(settings);
  const Result result = bench.get(origin.url("/?location=/to")).result;
  EXPECT_EQ(result.outcome, Outcome::http_error);
  EXPECT_EQ(result.response_code, 302);
  EXPECT_TRUE(contains(result.header_block, "Location: /to\r\n"));
}

TEST(FetcherRequest, LetsNoRedirectOutOfTheWeb) {
  const Origin origin;
  Bench bench;
  for (const char* target : {"/?location=file:///etc/passwd", "/?location=gopher://127.0.0.1/",
                             "/?location=ftp://127.0.0.1/", "/?location=nonsense://x/"}) {
    const Fetched fetched = bench.get(origin.url(target));
    EXPECT_EQ(fetched.result.outcome, Outcome::blocked) << target;
    EXPECT_EQ(fetched.result.response_code, 302) << target;
    EXPECT_NE(fetched.result.errormsg, "") << target;
    EXPECT_EQ(fetched.result.body, "") << target;
    EXPECT_FALSE(fetched.transient) << target;
  }
  EXPECT_EQ(bench.get(origin.url("/?location=http://[")).result.outcome, Outcome::http_error);
}

TEST(FetcherRequest, PostsBodies) {
  const Origin origin;
  Bench bench;
  Task post = task_of(origin.url("/?echo=1"));
  post.body = std::string("a\0b", 3);
  const Result posted = bench.get(post).result;
  EXPECT_EQ(posted.method, "POST");
  EXPECT_TRUE(posted.body.starts_with("POST /?echo=1 HTTP/1.1\r\n"));
  EXPECT_TRUE(contains(posted.body, "Content-Length: 3\r\n")) << posted.body;
  EXPECT_TRUE(posted.body.ends_with(std::string("\r\na\0b", 5)));

  post.body = std::string(2'000'000, 'x');  // large enough for Expect: 100-continue
  EXPECT_TRUE(bench.get(post).result.body.ends_with(*post.body));

  post.method = "PUT";
  post.body = "put";
  EXPECT_TRUE(bench.get(post).result.body.starts_with("PUT /?echo=1 HTTP/1.1\r\n"));
  post.method = "POST";
  post.body.reset();
  EXPECT_TRUE(contains(bench.get(post).result.body, "Content-Length: 0\r\n"));
  EXPECT_TRUE(bench.get(origin.url("/?echo=1")).result.body.starts_with("GET "))
      << "nothing of it stays with the handle";
}

TEST(FetcherRequest, AsksForHeadersOnlyWithHead) {
  const Origin origin;
  Bench bench;
  Task head = task_of(origin.url("/?size=1000"));
  head.method = "HEAD";
  const Result result = bench.get(head).result;
  EXPECT_EQ(result.outcome, Outcome::ok);
  EXPECT_EQ(result.method, "HEAD");
  EXPECT_TRUE(contains(result.header_block, "Content-Length: 1000\r\n"));
  EXPECT_EQ(result.body, "");
  EXPECT_EQ(bench.get(origin.url("/?size=10")).result.body.size(), 10U);
}

TEST(FetcherRequest, TurnsAPostIntoAGetWhereARedirectAsksForIt) {
  const Origin origin;
  Bench bench;
  const auto post_through = [&](const char* status) {
    Task post = task_of(origin.url("/?location=/x%3Fecho=1&status=" + std::string(status)));
    post.method = "POST";
    post.body = "once";
    return bench.get(post).result.body;
  };
  EXPECT_TRUE(post_through("303").starts_with("GET /x?echo=1 "));
  EXPECT_TRUE(post_through("302").starts_with("GET /x?echo=1 "));
  EXPECT_TRUE(post_through("307").starts_with("POST /x?echo=1 "));
  EXPECT_TRUE(post_through("307").ends_with("\r\nonce"));
}

TEST(FetcherRequest, SendsTheJobsHeadersAndTheTasksOverThem) {
  const Origin origin;
  JobSettings settings;
  settings.headers = {"X-Job: 1", "X-Both: job"};
  settings.user_agent = "tester";
  Bench bench(settings);
  Task task = task_of(origin.url("/?echo=1"));
  task.headers = {"x-both: task", "X-Task: 2", "User-Agent:"};
  const std::string asked = bench.get(task).result.body;
  EXPECT_TRUE(contains(asked, "X-Job: 1\r\n"));
  EXPECT_TRUE(contains(asked, "x-both: task\r\n"));
  EXPECT_TRUE(contains(asked, "X-Task: 2\r\n"));
  EXPECT_FALSE(contains(asked, "X-Both: job"));
  EXPECT_FALSE(contains(asked, "User-Agent"));
  const std::string next = bench.get(origin.url("/?echo=1")).result.body;
  EXPECT_TRUE(contains(next, "X-Both: job\r\n"));
  EXPECT_TRUE(contains(next, "User-Agent: tester\r\n"));
  EXPECT_FALSE(contains(next, "X-Task"));
}

TEST(FetcherRequest, SendsCredentialsToTheHostTheyAreForOnly) {
  const Origin origin;
  const Origin other;
  JobSettings settings;
  settings.user_password = "user:secret";
  Bench bench(settings);
  const std::string here = bench.get(origin.url("/?echo=1")).result.body;
  EXPECT_TRUE(contains(here, "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n")) << here;
  const Result there = bench.get(origin.url("/?location=" + other.url("/%3Fecho=1"))).result;
  EXPECT_EQ(there.url_effective, other.url("/?echo=1"));
  EXPECT_FALSE(contains(there.body, "Authorization")) << there.body;
}

TEST(FetcherRequest, TakesSecretHeadersToNoOtherHost) {
  const Origin origin;
  const Origin other(0, "127.0.0.2");
  JobSettings settings;
  settings.headers = {"Authorization: Bearer secret", "X-Plain: 1"};
  Bench bench(settings);
  const auto asked_at = [&](const std::string& there) {
    Task task = task_of(origin.url("/?location=" + there));
    task.headers = {"Cookie: session=secret"};
    return bench.get(task).result.body;
  };
  const std::string same = asked_at(origin.url("/%3Fecho=1"));
  EXPECT_TRUE(contains(same, "Authorization: Bearer secret\r\n")) << same;
  EXPECT_TRUE(contains(same, "Cookie: session=secret\r\n")) << same;
  const std::string away = asked_at(other.url("/%3Fecho=1"));
  EXPECT_TRUE(contains(away, "X-Plain: 1\r\n")) << away;
  EXPECT_FALSE(contains(away, "secret")) << away;
}

TEST(FetcherRequest, TakesTheSecretsOfAUrlToNoOtherHost) {
  const Origin origin;
  const Origin other(0, "127.0.0.2");
  Bench bench;
  const std::string secret = "http://user:secret@127.0.0.1:" + std::to_string(origin.port());
  EXPECT_TRUE(contains(bench.get(secret + "/?echo=1").result.body, "Authorization: Basic "));
  const Result away = bench.get(secret + "/?location=" + other.url("/%3Fecho=1")).result;
  EXPECT_EQ(away.outcome, Outcome::ok);
  EXPECT_FALSE(contains(away.body, "Authorization")) << away.body;
  EXPECT_FALSE(contains(away.body, "Referer")) << away.body;
  EXPECT_FALSE(contains(bench.get(origin.url("/?echo=1")).result.body, "Authorization"))
      << "nor to the next task on the same connection";
}

TEST(FetcherRequest, ReadsNoNetrc) {
  const Origin origin;
  const TemporaryDirectory home;
  write_file(home.file(".netrc"), "default login user password secret\n");
  const std::string before = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  setenv("HOME", home.path().c_str(), 1);
  {
    Bench bench;
    EXPECT_FALSE(contains(bench.get(origin.url("/?echo=1")).result.body, "Authorization"));
  }
  setenv("HOME", before.c_str(), 1);
}

TEST(FetcherRequest, IgnoresTheProxyOfTheEnvironment) {
  const Origin origin;
  setenv("http_proxy", refusing_url().c_str(), 1);
  setenv("no_proxy", "*", 1);
  {
    Bench bench;
    unsetenv("no_proxy");
    EXPECT_EQ(bench.get(origin.url("/")).result.outcome, Outcome::ok);
  }
  unsetenv("http_proxy");
}

TEST(FetcherRequest, GoesThroughTheJobsProxyWhateverTheEnvironmentExempts) {
  const Origin proxy;
  setenv("no_proxy", "*", 1);
  {
    JobSettings settings;
    settings.proxy = proxy.url("");
    Bench bench(settings);
    const Result result = bench.get("http://name.invalid/x?echo=1").result;
    EXPECT_EQ(result.outcome, Outcome::ok) << result.errormsg;
    EXPECT_TRUE(result.body.starts_with("GET http://name.invalid/x?echo=1 ")) << result.body;
  }
  unsetenv("no_proxy");
}

TEST(FetcherRequest, CallsAnUnsafeRequestTransientOnlyWhenItWasNotSent) {
  const Origin origin;
  Bench bench;
  const auto post = [&](const std::string& url) {
    Task task = task_of(url);
    task.body = "pay";
    return bench.get(task);
  };
  EXPECT_TRUE(post(refusing_url()).transient);
  EXPECT_FALSE(post(origin.url("/?drop=1")).transient);
  EXPECT_FALSE(post(origin.url("/?status=503")).transient);
}

TEST(FetcherRequest, CallsAnUnsafeRequestTransientWhenTheJobSaysSo) {
  const Origin origin;
  JobSettings settings;
  settings.retry_unsafe = true;
  Bench bench(settings);
  ASSERT_EQ(bench.get(origin.url("/")).result.outcome, Outcome::ok);
  Task task = task_of(origin.url("/?drop=1"));
  task.body = "pay";
  EXPECT_TRUE(bench.get(task).transient);
  EXPECT_EQ(origin.requests("/?drop=1"), 2U) << "once more by libcurl, on a new connection";
}

TEST(FetcherRequest, DoesNotRepeatAnUnsafeRequestWhenAKeptConnectionDies) {
  const Origin origin;
  Bench bench;
  ASSERT_EQ(bench.get(origin.url("/")).result.outcome, Outcome::ok);
  Task task = task_of(origin.url("/?drop=1"));
  task.body = "pay";
  const Fetched fetched = bench.get(task);
  EXPECT_EQ(fetched.result.outcome, Outcome::reset);
  EXPECT_EQ(fetched.result.exitcode, 52);
  EXPECT_NE(fetched.result.errormsg, "");
  EXPECT_FALSE(fetched.transient);
  EXPECT_EQ(origin.requests("/?drop=1"), 1U) << "libcurl would have sent it twice";
  Task redirected = task_of(origin.url("/?location=/to&status=307"));
  redirected.body = "pay";
  EXPECT_EQ(bench.get(redirected).result.outcome, Outcome::ok) << "a redirect is no repetition";
}

}  // namespace
}  // namespace fetchline
