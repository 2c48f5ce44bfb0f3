// What goes on to the next stage, as --emit says it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace fetchline {

struct EmitRule {
  enum class Kind : std::uint8_t {
    body_lines,  // the body is an input: its lines, without blank ones and comments
    links,       // what an HTML page links to and shows
    exec,        // what a command makes of it, which workers run; `argument` is the command
    json,        // the tasks at a place in a JSON body; `argument` is the JSON pointer (RFC 6901)
  };
  Kind kind = Kind::body_lines;
  std::string argument;

  bool operator==(const EmitRule&) const = default;
};

// The rule, or what is wrong with the text, to stand behind it: "is not body-lines, …".
[[nodiscard]] std::variant<EmitRule, std::string> parse_emit_rule(std::string_view text);

[[nodiscard]] std::string to_string(const EmitRule& rule);  // as it was parsed

}  // namespace fetchline
