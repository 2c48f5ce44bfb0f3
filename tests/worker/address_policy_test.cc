#include "worker/address_policy.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace fetchline {
namespace {

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

bool allows(const AddressPolicy& policy, const std::string& text, bool redirected = false) {
  return policy.refusal(ip(text), redirected).empty();
}

TEST(AddressPolicy, KnowsWhatIsNotPublic) {
  const AddressPolicy policy;
  // The first and the last of each range.
  for (const char* address : {"0.0.0.0",
                              "0.255.255.255",
                              "10.0.0.0",
                              "10.255.255.255",
                              "100.64.0.0",
                              "100.127.255.255",
                              "127.0.0.0",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.0.0",
                              "169.254.169.254",
                              "169.254.255.255",
                              "172.16.0.0",
                              "172.31.255.255",
                              "192.0.0.0",
                              "192.0.0.255",
                              "192.0.2.0",
                              "192.0.2.255",
                              "192.88.99.0",
                              "192.88.99.255",
                              "192.168.0.0",
                              "192.168.255.255",
                              "198.18.0.0",
                              "198.19.255.255",
                              "198.51.100.0",
                              "198.51.100.255",
                              "203.0.113.0",
                              "203.0.113.255",
                              "224.0.0.0",
                              "239.255.255.255",
                              "240.0.0.0",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::2",
                              "::127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:a9fe:a9fe",
                              "::ffff:0:7f00:1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b::169.254.169.254",
                              "64:ff9b:0:1::1",
                              "64:ff9b:1::",
                              "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                              "100::",
                              "100::ffff:ffff:1",
                              "2001::",
                              "2001:0:7f00:1::",
                              "2001:1ff:ffff::1",
                              "2001:db8::",
                              "2001:db8:ffff::1",
                              "2002:7f00:1::",
                              "2002:a00:1::1",
                              "2002:a9fe:a9fe::1",
                              "2002:c0a8:101::1",
                              "3fff::1",
                              "4000::1",
                              "5f00::1",
                              "fc00::",
                              "fd00:ec2::254",
                              "fdff:ffff:ffff::1",
                              "fe80::",
                              "fe80::1",
                              "febf:ffff::1",
                              "fec0::1",
                              "feff::1",
                              "ff00::",
                              "ff02::1",
                              "ffff:ffff::1"}) {
    EXPECT_FALSE(policy.is_public(ip(address))) << address;
    EXPECT_FALSE(allows(AddressPolicy("public"), address)) << address;
    EXPECT_TRUE(allows(policy, address)) << address;
    EXPECT_FALSE(allows(policy, address, true)) << address;
  }
}

TEST(AddressPolicy, KnowsWhatIsPublic) {
  const AddressPolicy policy;
  for (const char* address :
       {"1.0.0.0",          "1.1.1.1",     "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",   "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255",  "169.255.0.0", "172.15.255.255",  "172.32.0.0",
        "192.0.1.0",        "192.0.3.0",   "192.88.98.255",   "192.88.100.0",
        "192.167.255.255",  "192.169.0.0", "198.17.255.255",  "198.20.0.0",
        "203.0.112.255",    "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2000::1",     "2001:200::1",     "2001:4860:4860::8888",
        "2001:db7::1",      "2001:db9::1", "2002:808:808::1", "2606:4700::1111",
        "3fff:1000::1"}) {
    EXPECT_TRUE(policy.is_public(ip(address))) << address;
    EXPECT_TRUE(allows(AddressPolicy("public"), address)) << address;
    EXPECT_TRUE(allows(policy, address, true)) << address;
  }
}

TEST(AddressPolicy, AllowsRangesAndNoOthers) {
  const AddressPolicy policy("10.1.0.0/16,192.168.7.7,fd00:1::/32");
  EXPECT_TRUE(allows(policy, "10.1.255.255"));
  EXPECT_TRUE(allows(policy, "10.1.2.3", true)) << "it is named";
  EXPECT_TRUE(allows(policy, "::ffff:10.1.2.3"));
  EXPECT_TRUE(allows(policy, "64:ff9b::10.1.2.3"));
  EXPECT_TRUE(allows(policy, "192.168.7.7"));
  EXPECT_TRUE(allows(policy, "fd00:1::5"));
  EXPECT_FALSE(allows(policy, "10.2.0.0"));
  EXPECT_FALSE(allows(policy, "192.168.7.8"));
  EXPECT_FALSE(allows(policy, "8.8.8.8"));
  EXPECT_FALSE(allows(policy, "fd00:2::5"));
}

TEST(AddressPolicy, AddsRangesToWords) {
  const AddressPolicy web("public,127.0.0.2");
  EXPECT_TRUE(allows(web, "8.8.8.8"));
  EXPECT_TRUE(allows(web, "127.0.0.2", true));
  EXPECT_FALSE(allows(web, "127.0.0.3"));
  const AddressPolicy any("any,127.0.0.2");
  EXPECT_TRUE(allows(any, "127.0.0.3"));
  EXPECT_TRUE(allows(any, "127.0.0.2", true));
  EXPECT_FALSE(allows(any, "127.0.0.3", true));
}

TEST(AddressPolicy, NamesAddressAndRule) {
  EXPECT_EQ(AddressPolicy("public").refusal(ip("::ffff:169.254.169.254"), false),
            "169.254.169.254 (169.254.0.0/16, link-local) is not in --allow-net public");
  EXPECT_EQ(AddressPolicy("10.0.0.0/8").refusal(ip("8.8.8.8"), true),
            "8.8.8.8 is not in --allow-net 10.0.0.0/8");
  EXPECT_EQ(AddressPolicy().refusal(ip("64:ff9b::10.0.0.1"), true),
            "a redirect leads from a public address to 64:ff9b::a00:1 (10.0.0.0/8, private), which "
            "--allow-net does not name");
  EXPECT_EQ(AddressPolicy("public").refusal(ip("4000::1"), false),
            "4000::1 (outside of 2000::/3) is not in --allow-net public");
}

TEST(AddressPolicy, RefusesRulesThatAreNone) {
  for (const char* rule :
       {"", ",", "any,", "private", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
        "10.0.0.1/8", "10.0/8", "::1/129", "[::1]", "localhost", "any public", "fe80::1%lo"}) {
    EXPECT_THROW(AddressPolicy{rule}, std::invalid_argument) << rule;
  }
  EXPECT_NO_THROW(AddressPolicy{"0.0.0.0/0"});
  EXPECT_TRUE(allows(AddressPolicy{"0.0.0.0/0"}, "127.0.0.1", true));
  EXPECT_FALSE(allows(AddressPolicy{"0.0.0.0/0"}, "::1"));
  EXPECT_TRUE(allows(AddressPolicy{"::/0"}, "127.0.0.1"));
}

TEST(AddressPolicy, ReadsSocketAddresses) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x7f000002);
  EXPECT_EQ(IpAddress::of(reinterpret_cast<sockaddr&>(v4)).value().text(), "127.0.0.2");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(IpAddress::of(reinterpret_cast<sockaddr&>(v6)).value().text(), "::1");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::of(other));
}

}  // namespace
}  // namespace fetchline
