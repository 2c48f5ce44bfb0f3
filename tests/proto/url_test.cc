#include "proto/url.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>

namespace fetchline {
namespace {

// The parts with bars between them, or the reason after an exclamation mark.
std::string seen(std::string_view url) {
  const auto parsed = parse_url(url);
  if (const auto* fault = std::get_if<UrlFault>(&parsed)) return "! " + fault->reason;
  const auto& view = std::get<UrlView>(parsed);
  return std::string(view.scheme) + "|" + std::string(view.host) + "|" + std::to_string(view.port);
}

TEST(Url, NamesItsHostAndPort) {
  EXPECT_EQ(seen("http://a.example"), "http|a.example|80");
  EXPECT_EQ(seen("https://a.example/path?query#fragment"), "https|a.example|443");
  EXPECT_EQ(seen("http://a.example:8080/"), "http|a.example|8080");
  EXPECT_EQ(seen("http://a.example?q"), "http|a.example|80");
  EXPECT_EQ(seen("http://a.example#f"), "http|a.example|80");
  EXPECT_EQ(seen("http://a.example:/"), "http|a.example|80");
}

TEST(Url, CaseOfTheSchemeDoesNotMatter) {
  EXPECT_EQ(seen("HTTP://A.Example/"), "HTTP|A.Example|80");
  EXPECT_EQ(seen("hTTpS://a/"), "hTTpS|a|443");
}

TEST(Url, HostsMayBeNamesAddressesAndOtherScripts) {
  EXPECT_EQ(seen("http://localhost/"), "http|localhost|80");
  EXPECT_EQ(seen("http://a_b-c.example./"), "http|a_b-c.example.|80");
  EXPECT_EQ(seen("http://127.0.0.1:80/"), "http|127.0.0.1|80");
  EXPECT_EQ(seen("http://[::1]/"), "http|::1|80");
  EXPECT_EQ(seen("http://[2001:db8::1]:8080/"), "http|2001:db8::1|8080");
  EXPECT_EQ(seen("http://[fe80::1%25eth0]/"), "http|fe80::1%25eth0|80");
  EXPECT_EQ(seen("http://bücher.example/"), "http|bücher.example|80");
}

TEST(Url, UserAndPasswordAreNotTheHost) {
  EXPECT_EQ(seen("http://user:pass@a.example:81/@"), "http|a.example|81");
  EXPECT_EQ(seen("http://user@[::1]/"), "http|::1|80");
}

TEST(Url, PathsMayHoldWhatPeopleWrite) { EXPECT_EQ(seen("http://a/ü/{x}/[y]|\\%zz"), "http|a|80"); }

TEST(Url, WithoutASchemeItIsNone) {
  for (const auto* url : {"", "a.example", "a.example/path", "//a.example/", "localhost:8080/",
                          "a.example:8080", "a.example:x", "://a", "1http://a", "/path"}) {
    EXPECT_EQ(seen(url), "! no scheme") << url;
  }
}

TEST(Url, OtherSchemesAreNotAllowed) {
  EXPECT_EQ(seen("ftp://a.example/"), "! scheme ftp is not allowed");
  EXPECT_EQ(seen("file:///etc/passwd"), "! scheme file is not allowed");
  EXPECT_EQ(seen("mailto:a@b"), "! scheme mailto is not allowed");
  EXPECT_EQ(seen("javascript:alert(1)"), "! scheme javascript is not allowed");
  EXPECT_EQ(seen("httpx://a"), "! scheme httpx is not allowed");
}

TEST(Url, TheSlashesMustBeThere) {
  EXPECT_EQ(seen("http:a.example"), "! no // after the scheme");
  EXPECT_EQ(seen("https:/a.example"), "! no // after the scheme");
}

TEST(Url, TheHostMustBeThere) {
  for (const auto* url : {"http://", "http:///path", "http://:80/", "http://?q", "http://#f",
                          "http://user@/", "http://user@:80", "http://./"}) {
    EXPECT_EQ(seen(url), "! no host") << url;
  }
}

TEST(Url, SpacesAndControlCharactersAreNotAllowedAnywhere) {
  EXPECT_EQ(seen("http://a.example/a b"), "! space in URL");
  EXPECT_EQ(seen(" http://a.example/"), "! space in URL");
  EXPECT_EQ(seen("http://a.example/\t"), "! control character in URL");
  EXPECT_EQ(seen("http://a.example/\r\nHost: b"), "! space in URL");
  EXPECT_EQ(seen("http://a.example/\r\nX:b"), "! control character in URL");
  EXPECT_EQ(seen(std::string_view("http://a.example\0.b", 19)), "! control character in URL");
  EXPECT_EQ(seen("http://a.example/\x7f"), "! control character in URL");
}

TEST(Url, WhatParsersReadDifferentlyIsRefused) {
  EXPECT_EQ(seen("http://good.example\\@evil.example/"), "! backslash in host");
  EXPECT_EQ(seen("http://good.example@x@evil.example/"), "! more than one @ before the host");
  EXPECT_EQ(seen("http://%65vil.example/"), "! character % in host");
  EXPECT_EQ(seen("http://a,b/"), "! character , in host");
  EXPECT_EQ(seen("http://a<b/"), "! character < in host");
}

TEST(Url, NamesMustBeWellFormed) {
  EXPECT_EQ(seen("http://a..b/"), "! empty label in host");
  EXPECT_EQ(seen("http://.a/"), "! empty label in host");
  EXPECT_EQ(seen("http://\xff/"), "! host is not UTF-8");
  EXPECT_EQ(seen("http://256.1.1.1/"), "! 256.1.1.1 is not an IPv4 address");
  EXPECT_EQ(seen("http://" + std::string(64, 'a') + "/"),
            "! a label of the host is longer than 63 bytes");
  std::string name;
  for (int i = 0; i < 128; ++i) name += "a.";
  EXPECT_EQ(seen("http://" + name + "/"), "! host is longer than 253 bytes");
}

TEST(Url, AddressesInBracketsMustBeIpv6) {
  EXPECT_EQ(seen("http://[::1/"), "! no ] after the IPv6 address");
  EXPECT_EQ(seen("http://[]/"), "! [] is not an IPv6 address");
  EXPECT_EQ(seen("http://[127.0.0.1]/"), "! [127.0.0.1] is not an IPv6 address");
  EXPECT_EQ(seen("http://[::1]a/"), "! text after the IPv6 address");
  EXPECT_EQ(seen("http://[fe80::1%]/"), "! bad zone of the IPv6 address");
  EXPECT_EQ(seen("http://::1/"), "! no host");
}

TEST(Url, PortsAreNumbersFrom1To65535) {
  EXPECT_EQ(seen("http://a:1/"), "http|a|1");
  EXPECT_EQ(seen("http://a:65535/"), "http|a|65535");
  EXPECT_EQ(seen("http://a:0/"), "! port 0 is out of range");
  EXPECT_EQ(seen("http://a:99999/"), "! port 99999 is out of range");
  EXPECT_EQ(seen("http://a:65536/"), "! port 65536 is out of range");
  EXPECT_EQ(seen("http://a:8o/"), "! port 8o is not a number");
  EXPECT_EQ(seen("http://a:-1/"), "! port -1 is not a number");
}

TEST(Url, ReasonsQuoteOnlyABit) {
  EXPECT_LT(seen("http://a:" + std::string(60'000, '9')).size(), 100u);
  EXPECT_LT(seen(std::string(60'000, 'x') + "://a").size(), 100u);
}

TEST(Url, AnyBytesGetAnAnswerAndPartsThatLieInTheText) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  constexpr std::string_view kPieces[] = {"http", "https", ":",   "//",   "/", "@",
                                          "[",    "]",     "::1", "a",    ".", "9",
                                          "\\",   "\t",    "?",   "\xff", "#", "%25"};
  for (int round = 0; round < 20'000; ++round) {
    std::string url = round % 2 == 0 ? "http://" : "";
    for (auto count = random() % 8; count > 0; --count)
      url += kPieces[random() % std::size(kPieces)];
    const auto parsed = parse_url(url);
    const auto* view = std::get_if<UrlView>(&parsed);
    if (view == nullptr) continue;
    ASSERT_FALSE(view->host.empty()) << url;
    ASSERT_GT(view->port, 0) << url;
    ASSERT_NE(url.find(view->host), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace fetchline
