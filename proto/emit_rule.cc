#include "proto/emit_rule.h"

#include "proto/json_text.h"

namespace fetchline {
namespace {

constexpr std::string_view kBodyLines = "body-lines";
constexpr std::string_view kLinks = "links";
constexpr std::string_view kExec = "exec:";
constexpr std::string_view kJson = "json:";

// Empty, the whole document, or steps that each begin with a slash; ~0 is a tilde, ~1 a slash.
bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (auto at = text.find('~'); at != text.npos; at = text.find('~', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next != '0' && next != '1') return false;
  }
  return true;
}

}  // namespace

std::variant<EmitRule, std::string> parse_emit_rule(std::string_view text) {
  using Kind = EmitRule::Kind;
  if (!is_utf8(text)) return "is not UTF-8";
  if (text == kBodyLines) return EmitRule{.kind = Kind::body_lines, .argument = {}};
  if (text == kLinks) return EmitRule{.kind = Kind::links, .argument = {}};
  if (text.starts_with(kExec)) {
    return EmitRule{.kind = Kind::exec, .argument = std::string(text.substr(kExec.size()))};
  }
  if (text.starts_with(kJson)) {
    const auto pointer = text.substr(kJson.size());
    if (!is_json_pointer(pointer)) return "is not a JSON pointer, such as json:/items";
    return EmitRule{.kind = Kind::json, .argument = std::string(pointer)};
  }
  return "is not body-lines, links, json:/POINTER or exec:COMMAND";
}

std::string to_string(const EmitRule& rule) {
  switch (rule.kind) {
    case EmitRule::Kind::body_lines:
      return std::string(kBodyLines);
    case EmitRule::Kind::links:
      return std::string(kLinks);
    case EmitRule::Kind::exec:
      return std::string(kExec) + rule.argument;
    case EmitRule::Kind::json:
      return std::string(kJson) + rule.argument;
  }
  return {};
}

}  // namespace fetchline
