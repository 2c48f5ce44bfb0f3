#include "worker/hops.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
const IpAddress kWeb = ip("8.8.8.8");
const IpAddress kInside = ip("10.0.0.1");

TEST(Hops, MayStartAnywhereAndGoOnFromInside) {
  const AddressPolicy any;
  Hops hops(any);
  hops.begin();
  EXPECT_TRUE(hops.may_connect(kInside, false));
  EXPECT_TRUE(hops.may_send(kInside, false));
  EXPECT_TRUE(hops.may_connect(kInside, true));
  EXPECT_TRUE(hops.may_send(kInside, true));
  EXPECT_TRUE(hops.may_connect(kWeb, true));
}

TEST(Hops, LeadInsideFromThePublicNetNeitherAtOnceNorLater) {
  const AddressPolicy policy("any,10.7.0.0/16");
  Hops hops(policy);
  hops.begin();
  EXPECT_TRUE(hops.may_send(kWeb, false));
  EXPECT_TRUE(hops.may_send(ip("10.7.0.1"), true)) << "named";
  EXPECT_FALSE(hops.may_connect(kInside, true));
  EXPECT_NE(hops.refusal(), "");
  hops.begin();
  EXPECT_EQ(hops.refusal(), "");
  EXPECT_TRUE(hops.may_connect(kInside, false)) << "another task";
}

TEST(Hops, LeadNowhereElseOnAConnectionThatIsThere) {
  const AddressPolicy any;
  Hops hops(any);
  hops.begin();
  EXPECT_TRUE(hops.may_send(kWeb, false));
  EXPECT_FALSE(hops.may_send(kInside, true));
  EXPECT_NE(hops.refusal(), "");
}

TEST(Hops, PassOverAddressesOfAName) {
  const AddressPolicy web("public");
  Hops hops(web);
  hops.begin();
  EXPECT_FALSE(hops.may_connect(kInside, false));
  EXPECT_TRUE(hops.may_connect(kWeb, false));
  EXPECT_EQ(hops.refusal(), "") << "should it fail, that was not us";
  EXPECT_FALSE(hops.may_connect(kInside, false));
  EXPECT_EQ(hops.refusal(), "");
  EXPECT_TRUE(hops.may_send(kWeb, false));
  EXPECT_FALSE(hops.may_connect(kInside, true));
  EXPECT_NE(hops.refusal(), "") << "the next hop";
}

}  // namespace
}  // namespace fetchline
