// The rule `links` of --emit: where a page leads to. Pure.
#pragma once

#include <string_view>

#include "proto/emitted.h"

namespace fetchline {

// The http and https URLs that the page at `url` links to or shows (html_links.h), resolved,
// without fragments, each once, in their order; not the page itself where it refers to a place in
// it.
[[nodiscard]] Emitted links_of(std::string_view html, std::string_view url);

}  // namespace fetchline
