#include "deploy/process/http_request.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

HttpRequest parsed(const std::string& text) {
  const auto request = parse_http_request(text);
  EXPECT_TRUE(request) << text;
  return request.value_or(HttpRequest{.status = 0});
}

TEST(HttpRequest, IsItsPathWithoutTheQuery) {
  EXPECT_EQ(parsed("GET /status?pretty=1 HTTP/1.1\r\nHost: a\r\n\r\n").path, "/status");
  EXPECT_EQ(parsed("GET / HTTP/1.0\n\n").path, "/");
  EXPECT_EQ(parsed("GET /ping HTTP/1.1\r\n\r\nmore").status, 200);
  EXPECT_TRUE(parsed("HEAD /ping HTTP/1.1\r\n\r\n").head);
}

TEST(HttpRequest, IsWaitedForUntilItsEmptyLine) {
  const std::string whole = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_http_request(whole.substr(0, length))) << length;
  }
}

TEST(HttpRequest, IsRefusedWhenItIsSomethingElse) {
  EXPECT_EQ(parsed("POST /ping HTTP/1.1\r\n\r\n").status, 405);
  EXPECT_EQ(parsed("GET /ping\r\n\r\n").status, 400);
  EXPECT_EQ(parsed("GET ping HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(parsed("GET /a b HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(parsed("GET /ping HTTP/2\r\n\r\n").status, 400);
  EXPECT_EQ(parsed("\r\n\r\n").status, 400);
  EXPECT_EQ(parsed(std::string("\0\xff\x16\x03\r\n\r\n", 8)).status, 400);
}

TEST(HttpRequest, IsRefusedWhenItIsLongWhetherItEndsOrNot) {
  const std::string endless = "GET /ping HTTP/1.1\r\nX: " + std::string(9'000, 'a');
  EXPECT_EQ(parsed(endless).status, 431);
  EXPECT_EQ(parsed(endless + "\r\n\r\n").status, 431);
}

TEST(HttpText, SaysHowLongItIsAndEndsTheConnection) {
  const HttpAnswer answer{.status = 503, .body = "waiting\n"};
  const std::string text = http_text(answer, false);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << text;
  EXPECT_NE(text.find("\r\nContent-Length: 8\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\nwaiting\n"));
  EXPECT_TRUE(http_text(answer, true).ends_with("\r\n\r\n"));
}

TEST(ListenAddress, IsAHostAndAPort) {
  const auto host_and_port = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    return address ? address->host + "|" + address->port : "no";
  };
  EXPECT_EQ(host_and_port("127.0.0.1:8080"), "127.0.0.1|8080");
  EXPECT_EQ(host_and_port("localhost:0"), "localhost|0");
  EXPECT_EQ(host_and_port("[::1]:8080"), "::1|8080");
  EXPECT_EQ(host_and_port(":8080"), "|8080");
  for (const char* wrong : {"", "8080", "127.0.0.1", "127.0.0.1:", ":", "a:65536", "a:-1", "a:80x",
                            "a: 80", "a:http", "::1:80", "[]:80", "[::1]80", "http://a:80"}) {
    EXPECT_EQ(host_and_port(wrong), "no") << wrong;
  }
}

}  // namespace
}  // namespace fetchline
