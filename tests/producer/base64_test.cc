#include "producer/base64.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

TEST(Base64, DecodesTheVectorsOfTheRfc) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64("+//+"), "\xfb\xff\xfe");
  EXPECT_EQ(decode_base64("AAAA"), std::string(3, '\0'));
}

TEST(Base64, AnythingElseIsNotBase64) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zm9v=", "Z===", "====", "=", "Zm9v\n", "Zm 9v",
                           "-__-", "Zg==Zg==", "Zh==", "Zm9=", "Z=g="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fetchline
