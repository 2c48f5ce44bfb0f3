// What plain_url() takes apart, against libcurl's own opinion of it.
#include "worker/plain_url.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

namespace fetchline {
namespace {

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return text;
}

// Empty: it is not plain. A plain one is spelled as libcurl does it, and its parts are libcurl's.
std::string parts_of(const std::string& text) {
  const auto plain = plain_url(text);
  if (!plain) return "";
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  EXPECT_EQ(curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_GUESS_SCHEME), CURLUE_OK)
      << text;
  EXPECT_EQ(part_of(url.get(), CURLUPART_URL), text);
  EXPECT_EQ(part_of(url.get(), CURLUPART_SCHEME), plain->scheme) << text;
  EXPECT_EQ(part_of(url.get(), CURLUPART_HOST), plain->host) << text;
  EXPECT_EQ(part_of(url.get(), CURLUPART_PORT), plain->port) << text;
  EXPECT_EQ(part_of(url.get(), CURLUPART_PATH), plain->path) << text;
  EXPECT_EQ(part_of(url.get(), CURLUPART_QUERY), plain->query) << text;
  for (const auto none : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT}) {
    EXPECT_EQ(part_of(url.get(), none), "") << text;
  }
  return std::string(plain->scheme) + " " + std::string(plain->host) + " " +
         std::string(plain->port) + " " + std::string(plain->path) + " " +
         std::string(plain->query);
}

TEST(PlainUrl, IsTakenApart) {
  EXPECT_EQ(parts_of("http://a.example/"), "http a.example  / ");
  EXPECT_EQ(parts_of("https://www.a-b.example:8443/p/Q.html?x=1&y=/?"),
            "https www.a-b.example 8443 /p/Q.html x=1&y=/?");
  EXPECT_EQ(parts_of("http://127.0.0.1:65535/a//b"), "http 127.0.0.1 65535 /a//b ");
}

TEST(PlainUrl, IsNothingThatLibcurlSpellsDifferentlyOrRefuses) {
  for (const char* url : {"",
                          "http://",
                          "http:///",
                          "http://a",
                          "a.example/",
                          "HTTP://a/",
                          "ftp://a/",
                          "http://A.example/",
                          "http://a.example:/",
                          "http://a.example:080/",
                          "http://a.example:65536/",
                          "http://a:b@c/",
                          "http://127.1/",
                          "http://0x7f.0.0.1/",
                          "http://127.0.0.01/",
                          "http://127.0.0.256/",
                          "http://1.2.3.4.5/",
                          "http://2130706433/",
                          "http://127.0.0.1./",
                          "http://a./",
                          "http://[::1]/",
                          "http://a/b/../c",
                          "http://a/./",
                          "http://a/.hidden",
                          "http://a/%2e%2e/",
                          "http://a/?",
                          "http://a/#x",
                          "http://a/?x#y",
                          "http://a/b c",
                          "http://a/\xC3\xA9",
                          "http://\xC3\xA9/",
                          "http://a/\\b",
                          "http://a\\b/",
                          "http://a%41/"}) {
    EXPECT_EQ(parts_of(url), "") << url;
  }
  EXPECT_EQ(parts_of(std::string("http://a/\0b", 11)), "");
}

TEST(IsAddress, IsTrueOfWhatNobodyLooksUp) {
  for (const char* authority :
       {"127.0.0.1", "127.0.0.1:80", "u:p@10.0.0.1", "1.2", "[::1]", "[::1]:80", "u@[fe80::1]"}) {
    EXPECT_TRUE(is_address(authority)) << authority;
  }
  for (const char* authority : {"a", "a:80", "1.a", "127.0.0.1.example", "1.2.3.4@a", "0x7f.1"}) {
    EXPECT_FALSE(is_address(authority)) << authority;
  }
}

// parts_of() compares; here it is given whatever can be made of what matters in URLs.
TEST(PlainUrl, AgreesWithLibcurlWhateverItIsGiven) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  constexpr std::string_view kPieces[] = {
      "a", "z9",  "0", "1", "255", "256", "127",  ".",    "..", "-", ":", "/", "//", "?", "#", "@",
      "%", "%2E", "&", "=", "~",   "A",   "8080", "xn--", "_",  "+", ";", "'", "(",  "!", "*"};
  int plain = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string url = round % 3 == 0 ? "https://" : "http://";
    if (round % 2 == 0) url += round % 4 == 0 ? "h.example/" : "10.0.0.7:81/";
    for (auto pieces = random() % 10; pieces > 0; --pieces) {
      url += kPieces[random() % std::size(kPieces)];
    }
    plain += parts_of(url).empty() ? 0 : 1;
  }
  EXPECT_GT(plain, 1000);
}

}  // namespace
}  // namespace fetchline
