// --allow-net, from the flag to the record.
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/origin/origin.h"

namespace fetchline {
namespace {

class AllowNet : public OnEachLayout {
 protected:
  Records fetch(const std::string& rule, const Args& urls, const Args& flags = {}) {
    Job job(GetParam(), {.tasks = urls + Args{"--retry", "0"} + flags,
                         .effort = {"--allow-net", rule},
                         .verdict = {"--fail-on", "never"}});
    EXPECT_EQ(job.exit_code(), 0) << job.stderr_text();
    Records records = parse_records(job.writer().stdout_text());
    EXPECT_EQ(records.size(), urls.size());
    return records;
  }

  static void expect_blocked(const Records& records, const std::string& why) {
    for (const auto& record : records) {
      EXPECT_EQ(record.value("outcome", ""), "blocked") << record;
      EXPECT_NE(record.value("errormsg", "").find(why), std::string::npos) << record;
    }
  }

  const Origin origin_;
};
INSTANTIATE_TEST_SUITE_P(, AllowNet, kEitherShape, name_of);

TEST_P(AllowNet, BlocksWhatIsNotPublicHoweverItIsWritten) {
  const std::string port = ":" + std::to_string(origin_.port()) + "/";
  Args urls;
  for (const char* host :
       {"127.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.1", "127.0.1",
        "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0", "0.0.0.0"}) {
    urls.push_back("http://" + std::string(host) + port);
  }
  expect_blocked(fetch("public", urls), " is not in --allow-net public");
  EXPECT_EQ(origin_.connections(), 0U);
}

TEST_P(AllowNet, BlocksWhatNoRangeNames) {
  const Origin named(0, "127.0.0.2"), other(0, "127.0.0.3");
  const Records records = fetch("127.0.0.2/32,10.0.0.0/8",
                                {named.url("/a"), other.url("/b"),
                                 named.url("/?location=" + other.url("/c")), named.url("/d")});
  EXPECT_EQ(records[0].value("outcome", ""), "ok") << records[0];
  EXPECT_EQ(records[3].value("outcome", ""), "ok") << records[3];
  expect_blocked({records[1], records[2]},
                 "127.0.0.3 (127.0.0.0/8, loopback) is not in --allow-net 127.0.0.2/32,10.0.0.0/8");
  EXPECT_EQ(other.connections(), 0U);
}

TEST_P(AllowNet, BlocksAProxyLikeAnyOther) {
  const Origin proxy(0, "127.0.0.2");
  const Args url = {"http://a.example/"};
  expect_blocked(fetch("public", url, {"-x", proxy.url("")}), "127.0.0.2 ");
  EXPECT_EQ(proxy.connections(), 0U);
  const Records records = fetch("public,127.0.0.2", url, {"-x", proxy.url("")});
  EXPECT_EQ(records.at(0).value("outcome", ""), "ok") << records;
  EXPECT_EQ(proxy.requests("http://a.example/"), 1U);
}

TEST_P(AllowNet, BlocksRedirectsHoweverTheyAreWritten) {
  const Origin named(0, "127.0.0.2");
  const std::string port = "%3A" + std::to_string(origin_.port()) + "/";
  Args urls;
  for (const char* host : {"127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "localhost",
                           "[::1]", "[::ffff:127.0.0.1]", "0"}) {
    urls.push_back(named.url("/?location=http://" + std::string(host) + port));
  }
  expect_blocked(fetch("public,127.0.0.2", urls), " is not in --allow-net public,127.0.0.2");
  EXPECT_EQ(origin_.connections(), 0U);
  EXPECT_EQ(named.requests(), urls.size());
}

TEST_P(AllowNet, LetsRedirectsGoFromInsideToInsideByDefault) {
  const Origin other(0, "127.0.0.3");
  const Records records = fetch("any", {origin_.url("/?location=" + other.url("/"))});
  EXPECT_EQ(records.at(0).value("outcome", ""), "ok") << "neither is public";
}

}  // namespace
}  // namespace fetchline
