// What an origin does, from its socket to the record.
#include <cstdlib>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {
namespace {

using nlohmann::json;

class OutcomeOf : public OnEachLayout {
 protected:
  Records fetch(const Args& urls, const Args& flags, int code) {
    Job job(GetParam(), {.tasks = urls + flags});
    EXPECT_EQ(job.exit_code(), code) << job.stderr_text();
    return parse_records(job.writer().stdout_text());
  }

  const Origin origin_;
};
INSTANTIATE_TEST_SUITE_P(, OutcomeOf, kEitherShape, name_of);

TEST_P(OutcomeOf, AreTimeoutBelowTheSpeedLimit) {
  const Records records = fetch({origin_.url("/?drip=20&size=5000"), origin_.url("/quick")},
                                {"--speed-limit", "1K", "--speed-time", "1", "--retry", "0"}, 4);
  EXPECT_EQ(records.at(0).value("outcome", ""), "timeout") << records.at(0);
  EXPECT_LT(records.at(0).value("time_total", 99.0), 30.0) << "--max-time is 60";
  EXPECT_EQ(records.at(1).value("outcome", ""), "ok");
}

TEST_P(OutcomeOf, SayWhatHappenedToEachTask) {
  const std::uint16_t refusing = free_port();
  const struct {
    std::string url, outcome;
    int response_code;
    int exitcode;  // curl's
  } expected[] = {{origin_.url("/ok"), "ok", 200, 0},
                  {origin_.url("/accepted?status=204"), "ok", 204, 0},
                  {origin_.url("/missing?status=404"), "http_error", 404, 0},
                  {origin_.url("/broken?status=500"), "http_error", 500, 0},
                  {origin_.url("/hang?hang=1"), "timeout", 0, 28},
                  {"http://127.0.0.1:" + std::to_string(refusing) + "/", "connect_error", 0, 7},
                  {origin_.url("/drop?drop=1"), "reset", 0, 52},
                  {origin_.url("/cut?cut=1"), "reset", 200, 18},
                  {origin_.url("/reset?reset=1&size=100"), "reset", 200, 56},
                  {origin_.url("/large?size=5000"), "too_large", 200, 63},
                  {origin_.url("/large?gzip=50000"), "too_large", 200, 63},
                  {origin_.url("/loop?loop=1"), "too_many_redirects", 302, 47},
                  {origin_.url("/coded?encoding=martian"), "unsupported_encoding", 200, 61},
                  {origin_.url("/tls").replace(0, 4, "https"), "tls_error", 0, 35},
                  {origin_.url("/away?location=ftp://127.0.0.1/"), "blocked", 302, 1},
                  {origin_.url("/last"), "ok", 200, 0}};
  Args urls;
  for (const auto& each : expected) urls.push_back(each.url);
  const Records records =
      fetch(urls, {"--retry", "0", "-m", "1500ms", "--max-filesize", "4000"}, 4);
  ASSERT_EQ(records.size(), std::size(expected));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const json& record = records[i];
    EXPECT_EQ(record.at("outcome"), expected[i].outcome) << expected[i].url;
    EXPECT_EQ(record.at("response_code"), expected[i].response_code) << expected[i].url;
    EXPECT_EQ(record.at("exitcode"), expected[i].exitcode) << expected[i].url;
    EXPECT_EQ(record.at("attempts"), 1) << expected[i].url;
    EXPECT_EQ(record.at("url"), expected[i].url);
    EXPECT_EQ(record.at("errormsg") == "", expected[i].exitcode == 0) << expected[i].url;
  }
  EXPECT_EQ(body_of(records[2]), "/missing?status=404");
}

TEST_P(OutcomeOf, NameAHostThatDoesNotExist) {
  setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);  // where no resolver answers, it is said soon
  const Records records = fetch({"http://no-such-host.invalid/", origin_.url("/")},
                                {"--retry", "0", "--connect-timeout", "20"}, 4);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].at("outcome"), "dns_error");
  EXPECT_EQ(records[0].at("exitcode"), 6);
  EXPECT_EQ(records[1].at("outcome"), "ok");
}

TEST_P(OutcomeOf, AreOkAfterARetry) {
  const std::string target = "/flaky?fail=1";
  const Records records =
      fetch({origin_.url(target), origin_.url("/")}, {"--retry-delay", "50ms"}, 0);
  expect_answers(records, origin_, {target, "/"});
  EXPECT_EQ(records.at(0).at("attempts"), 2);
  EXPECT_EQ(records.at(1).at("attempts"), 1);
  EXPECT_EQ(origin_.requests(target), 2U);
}

TEST_P(OutcomeOf, AreTheLastAttemptsWhenNoneHelped) {
  const Records records =
      fetch({origin_.url("/?status=503"), origin_.url("/?drop=1"), origin_.url("/?status=404")},
            {"--retry-delay", "20ms", "--retry", "3"}, 5);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].at("outcome"), "http_error");
  EXPECT_EQ(records[0].at("attempts"), 4);
  EXPECT_EQ(origin_.requests("/?status=503"), 4U);
  EXPECT_EQ(records[1].at("outcome"), "reset");
  EXPECT_EQ(records[1].at("attempts"), 4);
  EXPECT_EQ(records[2].at("attempts"), 1);
  EXPECT_EQ(origin_.requests("/?status=404"), 1U);
}

TEST_P(OutcomeOf, WaitAsLongAsTheOriginAsks) {
  const std::string target = "/later?fail=1&retry_after=1";
  const auto begin = Clock::now();
  const Records records = fetch({origin_.url(target)}, {"--retry-delay", "10ms"}, 0);
  EXPECT_GE(Clock::now() - begin, std::chrono::seconds(1));
  expect_answers(records, origin_, {target});
  EXPECT_EQ(records.at(0).at("attempts"), 2);
}

TEST_P(OutcomeOf, TellHowARedirectEnded) {
  const Records records = fetch({origin_.url("/from?location=/to?size=10")}, {}, 0);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].at("url"), origin_.url("/from?location=/to?size=10"));
  EXPECT_EQ(records[0].at("url_effective"), origin_.url("/to?size=10"));
  EXPECT_EQ(records[0].at("num_redirects"), 1);
  const Records kept = fetch({origin_.url("/from?location=/to")}, {"--no-location"}, 5);
  EXPECT_EQ(kept.at(0).at("response_code"), 302);
  EXPECT_EQ(kept.at(0).at("num_redirects"), 0);
}

TEST_P(OutcomeOf, TakeForOkWhatAcceptNames) {
  const Records records = fetch({origin_.url("/?status=404"), origin_.url("/?status=200")},
                                {"--accept", "404,500-599"}, 4);
  EXPECT_EQ(records.at(0).at("outcome"), "ok");
  EXPECT_EQ(records.at(1).at("outcome"), "http_error");
}

}  // namespace
}  // namespace fetchline
