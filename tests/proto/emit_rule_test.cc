#include "proto/emit_rule.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

using Kind = EmitRule::Kind;

EmitRule rule_of(std::string_view text) {
  const auto parsed = parse_emit_rule(text);
  EXPECT_TRUE(std::holds_alternative<EmitRule>(parsed)) << text;
  return std::get<EmitRule>(parsed);
}

std::string fault_of(std::string_view text) {
  const auto parsed = parse_emit_rule(text);
  EXPECT_TRUE(std::holds_alternative<std::string>(parsed)) << text;
  return std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed) : "";
}

TEST(EmitRule, IsReadAndWrittenTheSame) {
  EXPECT_EQ(rule_of("body-lines"), (EmitRule{Kind::body_lines, ""}));
  EXPECT_EQ(rule_of("json:/a/0"), (EmitRule{Kind::json, "/a/0"}));
  EXPECT_EQ(rule_of("json:"), (EmitRule{Kind::json, ""}));
  for (const char* text : {"body-lines", "links", "json:", "exec:", "exec:jq -r .url | sort",
                           "json:/a/0", "json:/~0~1/caf\u00e9"}) {
    EXPECT_EQ(to_string(rule_of(text)), text);
  }
}

TEST(EmitRule, SaysWhatIsWrongWithIt) {
  for (const char* text :
       {"", "body", "Body-lines", "body-lines ", "link", "links:", "json", "JSON:/a", "exec"}) {
    EXPECT_EQ(fault_of(text), "is not body-lines, links, json:/POINTER or exec:COMMAND") << text;
  }
  for (const char* text : {"json:a", "json:/~", "json:/~2", "json:/a~/b", "json: /a"}) {
    EXPECT_EQ(fault_of(text), "is not a JSON pointer, such as json:/items") << text;
  }
  EXPECT_EQ(fault_of("json:/caf\xe9"), "is not UTF-8");
}

}  // namespace
}  // namespace fetchline
