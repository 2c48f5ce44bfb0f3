// Text from anywhere (a URL, a peer's error) made safe to show. Pure; safe on any thread.
#pragma once

#include <string>
#include <string_view>

namespace fetchline {

// Control characters become "\n"-like escapes: no line is forged, no terminal is told what to do,
// and what is shown stands in the order that it has.
[[nodiscard]] std::string printable(std::string_view text);

// A JSON string with its quotes, and with escapes for what changes the order of what is shown.
// Bytes that are not UTF-8 become U+FFFD, since JSON has no others.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace fetchline
