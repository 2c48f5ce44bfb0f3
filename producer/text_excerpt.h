// Shortens text of unknown encoding for a message. Pure.
#pragma once

#include <string>
#include <string_view>

namespace fetchline {

// At most `max_bytes` of `text`, cut between characters, always valid UTF-8: text that is not is
// read as Latin-1, as the records do.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t max_bytes);

}  // namespace fetchline
