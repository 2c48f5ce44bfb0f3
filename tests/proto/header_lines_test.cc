#include "proto/header_lines.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace fetchline {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(std::string_view block) {
  Fields fields;
  while (const auto field = take_header_field(block)) {
    fields.emplace_back(field->name, unfolded(field->value));
  }
  return fields;
}

TEST(HeaderLines, KeepOrderRepeatsAndCase) {
  EXPECT_EQ(fields_of("Set-Cookie: a=1\r\nSERVER: x\r\nSet-Cookie: b=2\r\n"),
            (Fields{{"Set-Cookie", "a=1"}, {"SERVER", "x"}, {"Set-Cookie", "b=2"}}));
}

TEST(HeaderLines, SpacesAroundValuesAreDroppedAndColonsInThemKept) {
  EXPECT_EQ(fields_of("Location:  http://a/b:c \t\r\nEmpty:\r\n"),
            (Fields{{"Location", "http://a/b:c"}, {"Empty", ""}}));
}

TEST(HeaderLines, AnEmptyBlockHasNoFields) {
  EXPECT_EQ(fields_of(""), Fields{});
  EXPECT_EQ(fields_of("\r\n\r\n"), Fields{});
}

TEST(HeaderLines, BareLineFeedsAndAMissingLastOneAreFine) {
  EXPECT_EQ(fields_of("A: 1\nB: 2"), (Fields{{"A", "1"}, {"B", "2"}}));
}

TEST(HeaderLines, FoldedValuesBecomeOneLine) {
  EXPECT_EQ(fields_of("A: one\r\n two\r\n\tthree\r\nB: 2\r\n"),
            (Fields{{"A", "one two three"}, {"B", "2"}}));
}

TEST(HeaderLines, ALineWithoutAColonIsANameWithoutAValue) {
  EXPECT_EQ(fields_of("nonsense\r\nA: 1\r\n"), (Fields{{"nonsense", ""}, {"A", "1"}}));
}

}  // namespace
}  // namespace fetchline
