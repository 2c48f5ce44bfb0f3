#include "worker/response.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace fetchline {
namespace {

constexpr std::uint64_t kCap = 10;

Response begun() {
  Response response;
  response.begin(kCap, true);
  return response;
}

bool take_lines(Response& response, std::initializer_list<std::string_view> lines) {
  for (const std::string_view line : lines) {
    if (!response.take_header_line(line)) return false;
  }
  return true;
}

TEST(Response, KeepsTheHeaderLinesOfTheLastAnswerOnly) {
  Response response = begun();
  EXPECT_TRUE(take_lines(
      response, {"HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 302 Found\r\n",
                 "Location: /b\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "A: 1\r\n", "B: 2\n", "\r\n"}));
  EXPECT_EQ(response.final_answers(), 2U);
  EXPECT_EQ(response.take_header_block(), "A: 1\r\nB: 2\r\n");
}

TEST(Response, LeavesTrailersOutAndUnfoldsLines) {
  Response response = begun();
  EXPECT_TRUE(take_lines(response, {"HTTP/1.1 200 OK\r\n", "A: 1\r\n", "  and 2\r\n", "\r\n"}));
  EXPECT_TRUE(response.take_body("x"));
  EXPECT_TRUE(response.take_header_line("X-Trailer: late\r\n"));
  EXPECT_EQ(response.take_header_block(), "A: 1 and 2\r\n");
}

TEST(Response, TakesABodyUpToTheCapAndNotAByteMore) {
  Response response = begun();
  response.expect_body(1'000'000'000);
  EXPECT_TRUE(response.take_body("12345"));
  EXPECT_TRUE(response.take_body("67890"));
  EXPECT_FALSE(response.take_body("1"));
  EXPECT_EQ(response.stopped(), StopReason::body_cap);
  EXPECT_EQ(response.take_body(), "");
}

TEST(Response, DropsTheBodyOfAnAnswerThatAnotherFollows) {
  Response response = begun();
  EXPECT_TRUE(take_lines(response, {"HTTP/1.1 401 No\r\n", "\r\n"}));
  EXPECT_TRUE(response.take_body("go away"));
  EXPECT_TRUE(take_lines(response, {"HTTP/1.1 200 OK\r\n", "\r\n"}));
  EXPECT_FALSE(response.body_started());
  EXPECT_TRUE(response.take_body("welcome"));
  EXPECT_EQ(response.take_body(), "welcome");
}

TEST(Response, StopsAfter256HeaderLinesInOneAnswer) {
  Response response = begun();
  for (int answer = 0; answer < 2; ++answer) {
    ASSERT_TRUE(response.take_header_line("HTTP/1.1 302 Found\r\n"));
    for (int line = 0; line < 256; ++line) ASSERT_TRUE(response.take_header_line("A: b\r\n"));
    ASSERT_TRUE(response.take_header_line("\r\n"));
  }
  EXPECT_FALSE(response.take_header_line("X-Trailer: also counts\r\n"));
  EXPECT_EQ(response.stopped(), StopReason::header_lines);
}

TEST(Response, StopsAfter64KiBOfHeadersInOneAnswer) {
  Response response = begun();
  const std::string line = "A: " + std::string(32'000, 'x') + "\r\n";
  ASSERT_TRUE(take_lines(response, {"HTTP/1.1 200 OK\r\n", line, line}));
  EXPECT_FALSE(response.take_header_line(line));
  EXPECT_EQ(response.stopped(), StopReason::header_bytes);
}

TEST(Response, StopsAfterEightInterimAnswersInARow) {
  Response response = begun();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(take_lines(response, {"HTTP/1.1 103 Early Hints\r\n", "\r\n"}));
  }
  EXPECT_FALSE(response.take_header_line("HTTP/1.1 100 Continue\r\n"));
  EXPECT_EQ(response.stopped(), StopReason::interim_cap);
}

TEST(Response, DistrustsLengthsThatDifferOrAreNone) {
  for (const std::initializer_list<std::string_view> lines :
       {std::initializer_list<std::string_view>{"Content-Length: 5", "content-length: 6"},
        {"Content-Length: 5, 6"},
        {"Content-Length: 5", " 6"},
        {"Content-Length: 5x"},
        {"Content-Length: +5"},
        {"Content-Length: 99999999999999999999"}}) {
    Response response = begun();
    ASSERT_TRUE(response.take_header_line("HTTP/1.1 200 OK\r\n"));
    ASSERT_TRUE(take_lines(response, lines));
    EXPECT_FALSE(response.take_header_line("\r\n")) << *lines.begin();
    EXPECT_EQ(response.stopped(), StopReason::unclear_length);
  }
}

TEST(Response, TakesTheSameLengthTwiceAndAnotherOneInTheNextAnswer) {
  Response response = begun();
  EXPECT_TRUE(take_lines(
      response, {"HTTP/1.1 302 Found\r\n", "Content-Length: 5\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                 "Content-Length: 6, 6\r\n", "content-length:6\r\n", "\r\n"}));
}

TEST(Response, StopsAtTheBodyOfACodingThatItDoesNotKnow) {
  for (const std::string_view coding : {"martian", "gzip, br"}) {
    Response response = begun();
    EXPECT_TRUE(response.take_header_line("HTTP/1.1 200 OK"));
    EXPECT_TRUE(response.take_header_line("Content-Encoding: " + std::string(coding)));
    EXPECT_TRUE(response.take_header_line(""));
    EXPECT_TRUE(response.is_whole()) << "without a body there is nothing to undo";
    EXPECT_FALSE(response.take_body("x"));
    EXPECT_EQ(response.stopped(), StopReason::unknown_coding);
  }
}

TEST(Response, LeavesTheCodingWhenItIsNotToUndoIt) {
  Response response;
  response.begin(kCap, false);
  EXPECT_TRUE(take_lines(response, {"HTTP/1.1 200 OK", "Content-Encoding: gzip", ""}));
  EXPECT_TRUE(response.take_body("x"));
  EXPECT_TRUE(response.is_whole());
  EXPECT_EQ(response.take_body(), "x");
}

TEST(Response, ForgetsEverythingWhenItBeginsAgain) {
  Response response = begun();
  EXPECT_TRUE(take_lines(response, {"HTTP/1.1 200 OK\r\n", "A: 1\r\n"}));
  EXPECT_FALSE(response.take_body("much too long"));
  response.begin(kCap, true);
  EXPECT_EQ(response.stopped(), StopReason::none);
  EXPECT_EQ(response.final_answers(), 0U);
  EXPECT_EQ(response.take_header_block(), "");
  EXPECT_TRUE(response.take_body("short"));
}

TEST(Response, KnowsWhenOnlyTheConnectionsEndEndsTheBody) {
  const auto ends = [](std::initializer_list<std::string_view> lines) {
    Response response = begun();
    EXPECT_TRUE(take_lines(response, lines));
    return response.ends_with_connection();
  };
  EXPECT_TRUE(ends({"HTTP/1.1 200 OK\r\n", "A: b\r\n", "\r\n"}));
  EXPECT_TRUE(ends({"HTTP/1.0 404\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 200 OK\r\n", "A: b\r\n"})) << "who knows what comes";
  EXPECT_FALSE(ends({"HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 304 Same\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 204 None\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/2 200\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 103 Hints\r\n", "\r\n"}));
  EXPECT_FALSE(ends({"HTTP/1.1 302 Found\r\n", "\r\n", "HTTP/2 200\r\n", "\r\n"}));
}

std::string zeros_in_gzip(std::size_t count) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  const std::string zeros(count, '\0');
  std::string coded(deflateBound(&stream, count), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
  stream.avail_in = static_cast<uInt>(count);
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  deflate(&stream, Z_FINISH);
  coded.resize(stream.total_out);
  deflateEnd(&stream);
  return coded;
}

TEST(Response, StopsABodyOfMoreThanAMebibyteThatBecomesAHundredTimesItsSize) {
  const auto begun_with_gzip = [] {
    Response response;
    response.begin(std::uint64_t{1} << 30, true);
    EXPECT_TRUE(
        take_lines(response, {"HTTP/1.1 200 OK\r\n", "Content-Encoding: gzip\r\n", "\r\n"}));
    return response;
  };
  Response small = begun_with_gzip();
  EXPECT_TRUE(small.take_body(zeros_in_gzip(kMaxBombBytes))) << "1000 times, but small";
  EXPECT_EQ(small.body_bytes(), kMaxBombBytes);
  Response bomb = begun_with_gzip();
  EXPECT_FALSE(bomb.take_body(zeros_in_gzip(2 * kMaxBombBytes)));
  EXPECT_EQ(bomb.stopped(), StopReason::bomb);
  EXPECT_EQ(bomb.body_bytes(), 0U);
}

}  // namespace
}  // namespace fetchline
