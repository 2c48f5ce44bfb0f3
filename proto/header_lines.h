// Reads a block of HTTP header lines, as it came over the wire, field by field. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

// Views into the block, without the spaces around them.
struct HeaderField {
  std::string_view name;
  std::string_view value;  // may hold line breaks: see unfolded()
};

// Takes the next field off the front of `block`; empty when there is none left. Lines end with
// CRLF or LF, empty ones are passed over. A line that starts with a space continues the value
// before it (RFC 9112, 5.2). A line without a colon becomes a name with an empty value: origins
// send such things, and a record hides nothing.
[[nodiscard]] std::optional<HeaderField> take_header_field(std::string_view& block);

// `value` on one line: each break, with the spaces around it, becomes one space.
[[nodiscard]] std::string unfolded(std::string_view value);

}  // namespace fetchline
