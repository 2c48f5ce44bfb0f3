// Decodes base64. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

// RFC 4648, section 4: the alphabet with + and /, padded, nothing in between. Empty for any other
// text: to guess would be to send a body that nobody meant.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace fetchline
