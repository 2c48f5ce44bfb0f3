// What a reference on a page refers to. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

// `reference`, as it stands on a page at `base`, as an http or https URL that parse_url() takes,
// without its fragment. As browsers read it: spaces around it are no part of it, line breaks in it
// neither, a backslash is a slash, what a URL cannot hold is percent-encoded. Empty when there is
// no such URL, of another scheme, say. `base` is a URL that parse_url() takes.
[[nodiscard]] std::optional<std::string> resolve_url(std::string_view base,
                                                     std::string_view reference);

}  // namespace fetchline
