#include "producer/text_excerpt.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace fetchline {
namespace {

TEST(TextExcerpt, ShortTextIsUnchanged) {
  EXPECT_EQ(excerpt("", 10), "");
  EXPECT_EQ(excerpt("grüße 😀", 100), "grüße 😀");
}

TEST(TextExcerpt, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(excerpt("abcdef", 3), "abc");
  EXPECT_EQ(excerpt("aü", 2), "a");
  EXPECT_EQ(excerpt("aü", 3), "aü");
  EXPECT_EQ(excerpt("a😀", 4), "a");
  EXPECT_EQ(excerpt("a😀b", 5), "a😀");
}

TEST(TextExcerpt, TextThatWasCutThroughBeforeLosesHalfACharacter) {
  EXPECT_EQ(excerpt("grü\xc3", 5), "grü");
}

TEST(TextExcerpt, OtherBytesAreReadAsLatin1) {
  EXPECT_EQ(excerpt("caf\xe9 au lait", 100), "café au lait");
  EXPECT_EQ(excerpt("caf\xe9", 100), "café");
  EXPECT_EQ(excerpt("\xff\xff\xff", 5), "ÿÿ");
}

TEST(TextExcerpt, IsAlwaysUtf8AndNeverTooLong) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(random() % 20, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 256);
    const auto limit = random() % 20;
    const auto text = excerpt(bytes, limit);
    ASSERT_LE(text.size(), limit);
    ASSERT_TRUE(simdjson::validate_utf8(text));
  }
}

}  // namespace
}  // namespace fetchline
