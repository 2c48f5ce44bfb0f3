#include "worker/outcome.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Outcome outcome_of_code(CURLcode code) {
  return outcome_of({.code = code, .request_sent = true}, {});
}

Outcome outcome_of_status(long status, const std::vector<JobSettings::CodeRange>& accept = {}) {
  return outcome_of({.response_code = status, .request_sent = true}, accept);
}

TEST(Outcome, IsOkForEveryTwoHundredAndAnErrorForTheRest) {
  EXPECT_EQ(outcome_of_status(200), Outcome::ok);
  EXPECT_EQ(outcome_of_status(299), Outcome::ok);
  EXPECT_EQ(outcome_of_status(302), Outcome::http_error);
  EXPECT_EQ(outcome_of_status(404), Outcome::http_error);
  EXPECT_EQ(outcome_of_status(199), Outcome::http_error);
}

TEST(Outcome, FollowsTheRangesOfAccept) {
  const std::vector<JobSettings::CodeRange> accept = {{200, 200}, {404, 410}};
  EXPECT_EQ(outcome_of_status(200, accept), Outcome::ok);
  EXPECT_EQ(outcome_of_status(206, accept), Outcome::http_error);
  EXPECT_EQ(outcome_of_status(404, accept), Outcome::ok);
  EXPECT_EQ(outcome_of_status(410, accept), Outcome::ok);
}

TEST(Outcome, NamesWhatLibcurlSays) {
  EXPECT_EQ(outcome_of_code(CURLE_OPERATION_TIMEDOUT), Outcome::timeout);
  EXPECT_EQ(outcome_of_code(CURLE_COULDNT_RESOLVE_HOST), Outcome::dns_error);
  EXPECT_EQ(outcome_of_code(CURLE_COULDNT_RESOLVE_PROXY), Outcome::dns_error);
  EXPECT_EQ(outcome_of_code(CURLE_COULDNT_CONNECT), Outcome::connect_error);
  EXPECT_EQ(outcome_of_code(CURLE_PEER_FAILED_VERIFICATION), Outcome::tls_error);
  EXPECT_EQ(outcome_of_code(CURLE_SSL_CONNECT_ERROR), Outcome::tls_error);
  EXPECT_EQ(outcome_of_code(CURLE_PARTIAL_FILE), Outcome::reset);
  EXPECT_EQ(outcome_of_code(CURLE_RECV_ERROR), Outcome::reset);
  EXPECT_EQ(outcome_of_code(CURLE_GOT_NOTHING), Outcome::reset);
  EXPECT_EQ(outcome_of_code(CURLE_HTTP2_STREAM), Outcome::reset);
  EXPECT_EQ(outcome_of_code(CURLE_TOO_MANY_REDIRECTS), Outcome::too_many_redirects);
  EXPECT_EQ(outcome_of_code(CURLE_BAD_CONTENT_ENCODING), Outcome::unsupported_encoding);
}

TEST(Outcome, TellsAUrlThatIsNotOneFromARedirectToOne) {
  const auto of = [](CURLcode code, long status, bool sent) {
    return outcome_of({.code = code, .response_code = status, .request_sent = sent}, {});
  };
  EXPECT_EQ(of(CURLE_URL_MALFORMAT, 0, false), Outcome::invalid_task);
  EXPECT_EQ(of(CURLE_UNSUPPORTED_PROTOCOL, 0, false), Outcome::invalid_task);
  EXPECT_EQ(of(CURLE_UNSUPPORTED_PROTOCOL, 302, true), Outcome::blocked);
  EXPECT_EQ(of(CURLE_URL_MALFORMAT, 302, true), Outcome::http_error);
  EXPECT_EQ(of(CURLE_UNSUPPORTED_PROTOCOL, 0, true), Outcome::reset) << "HTTP/0.9";
}

TEST(Outcome, NamesOurOwnStopsWhateverLibcurlMadeOfThem) {
  const auto of = [](StopReason stopped) {
    return outcome_of({.code = CURLE_WRITE_ERROR, .stopped = stopped, .response_code = 200}, {});
  };
  EXPECT_EQ(of(StopReason::body_cap), Outcome::too_large);
  EXPECT_EQ(of(StopReason::bomb), Outcome::too_large);
  EXPECT_EQ(of(StopReason::header_lines), Outcome::reset);
  EXPECT_EQ(of(StopReason::header_bytes), Outcome::reset);
  EXPECT_EQ(of(StopReason::interim_cap), Outcome::reset);
  EXPECT_EQ(of(StopReason::unclear_length), Outcome::reset);
  EXPECT_EQ(of(StopReason::cut_short), Outcome::reset);
  EXPECT_EQ(of(StopReason::no_goodbye), Outcome::reset);
  EXPECT_EQ(of(StopReason::unknown_coding), Outcome::unsupported_encoding);
  EXPECT_EQ(of(StopReason::broken_coding), Outcome::unsupported_encoding);
  EXPECT_EQ(of(StopReason::would_repeat), Outcome::reset);
  EXPECT_EQ(of(StopReason::blocked), Outcome::blocked);
  EXPECT_EQ(of(StopReason::cancelled), Outcome::cancelled);
}

TEST(ExitCode, IsTheOneThatCurlWouldEndWithWhenWeStop) {
  EXPECT_EQ(exit_code_of({.code = CURLE_WRITE_ERROR, .stopped = StopReason::body_cap}),
            CURLE_FILESIZE_EXCEEDED);
  EXPECT_EQ(exit_code_of({.code = CURLE_WRITE_ERROR, .stopped = StopReason::header_lines}),
            CURLE_RECV_ERROR);
  EXPECT_EQ(exit_code_of({.code = CURLE_PARTIAL_FILE}), CURLE_PARTIAL_FILE);
  EXPECT_TRUE(message_of(StopReason::none).empty());
  EXPECT_FALSE(message_of(StopReason::interim_cap).empty());
}

TEST(Transient, IsWhatMayPassByItself) {
  for (const Outcome outcome :
       {Outcome::timeout, Outcome::dns_error, Outcome::connect_error, Outcome::reset}) {
    EXPECT_TRUE(is_transient(outcome, 0)) << to_string(outcome);
  }
  for (const long status : {408L, 429L, 500L, 502L, 503L, 504L}) {
    EXPECT_TRUE(is_transient(Outcome::http_error, status)) << status;
  }
}

TEST(Transient, IsNotWhatStaysAsItIs) {
  for (const Outcome outcome :
       {Outcome::ok, Outcome::tls_error, Outcome::too_large, Outcome::too_many_redirects,
        Outcome::blocked, Outcome::unsupported_encoding, Outcome::invalid_task,
        Outcome::cancelled}) {
    EXPECT_FALSE(is_transient(outcome, 503)) << to_string(outcome);
  }
  for (const long status : {301L, 400L, 401L, 404L, 410L, 501L, 505L}) {
    EXPECT_FALSE(is_transient(Outcome::http_error, status)) << status;
  }
}

TEST(Repeating, IsSafeForIdempotentMethods) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(may_repeat(method, true, false)) << method;
  }
}

TEST(Repeating, IsForOthersOnlyBeforeTheyWereSentOrWhenTheUserSaysSo) {
  for (const char* method : {"POST", "PATCH", "get", "BREW"}) {
    EXPECT_FALSE(may_repeat(method, true, false)) << method;
    EXPECT_TRUE(may_repeat(method, false, false)) << method;
    EXPECT_TRUE(may_repeat(method, true, true)) << method;
  }
}

// Sun, 06 Nov 1994 08:49:37 GMT
const auto kNow = std::chrono::system_clock::from_time_t(784111777);

TEST(RetryAfter, IsReadAsSeconds) {
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("120", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after(" 7 \r\n", kNow), seconds(7));
}

TEST(RetryAfter, IsReadAsAnyHttpDate) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:50:37 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun Nov  6 08:50:37 1994", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow + milliseconds(500)),
            milliseconds(59'500));
}

TEST(RetryAfter, IsNoWaitForADateThatHasPassed) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:36 GMT", kNow), seconds(0));
}

TEST(RetryAfter, IsBoundedWhateverTheOriginAsks) {
  EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), kMaxRetryAfter);
  EXPECT_EQ(parse_retry_after("9223372036854775807", kNow), kMaxRetryAfter);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 2094 23:59:59 GMT", kNow), kMaxRetryAfter);
}

TEST(RetryAfter, IsAbsentWhenItIsNeither) {
  for (const char* value : {"", "  ", "soon", "-5", "1.5", "5 seconds", "20240101 10:00:00",
                            "Sun, 99 Foo 1994 08:49:37 GMT", "aaaaaaaaaaaaaaaaaaaaaaa:aaaaa"}) {
    EXPECT_EQ(parse_retry_after(value, kNow), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace fetchline
