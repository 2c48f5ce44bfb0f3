#include "deploy/process/printable.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

TEST(Printable, TextStaysAsItIs) {
  EXPECT_EQ(printable("https://a.example/\xC3\xA4?q=\"1\""), "https://a.example/\xC3\xA4?q=\"1\"");
}

TEST(Printable, NeitherForgesALineNorSpeaksToTheTerminal) {
  EXPECT_EQ(printable("a\nb\r\x1b[31m\x7f"), "a\\nb\\x0d\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\x9b31m");
  EXPECT_EQ(printable("\xFF"), "\\xff");
}

TEST(Printable, ShowsTextInTheOrderThatItHas) {
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b\xE2\x81\xA6\xD8\x9C\xE2\x80\x8F\xE2\x80\xA8"),
            "a\\u202eb\\u2066\\u061c\\u200f\\u2028");
  EXPECT_EQ(printable("\xE2\x80\xA7\xE2\x81\xA5\xD7\x90"), "\xE2\x80\xA7\xE2\x81\xA5\xD7\x90");
  EXPECT_EQ(json_string("\xE2\x80\xAE"), "\"\\u202e\"");
}

TEST(JsonString, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(json_string("\xC2\x9B[31m\x7F\xC2\xA0"), "\"\\u009b[31m\\u007f\xC2\xA0\"");
}

TEST(JsonString, IsUtf8WhateverComesIn) {
  const std::string replaced = "\"\xEF\xBF\xBD\"";
  EXPECT_EQ(json_string("\xFF"), replaced);
  EXPECT_EQ(json_string("\xC3"), replaced);
  EXPECT_EQ(json_string("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
  // A surrogate and an overlong slash: three bad bytes, two bad bytes.
  EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(json_string("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace fetchline
