// Checks the syntax of an http or https URL and finds its host. Pure, any thread.
//
// Stricter than libcurl where parsers are known to disagree about the host (backslash, a second
// "@", percent-escapes in it): what is counted for a host here must be what is fetched there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace fetchline {

// Views into the text that was parsed, in the user's spelling: compare scheme and host without
// regard to case.
struct UrlView {
  std::string_view scheme;
  std::string_view host;   // an IPv6 address without its brackets
  std::uint16_t port = 0;  // the scheme's when the URL names none
};

struct UrlFault {
  std::string reason;  // "no host", "port 99999 is out of range"; may quote a bit of the URL
};

[[nodiscard]] std::variant<UrlView, UrlFault> parse_url(std::string_view url);

// The URL as others may see it: what stands before an "@" in its authority is left out.
[[nodiscard]] std::string without_userinfo(std::string_view url);

}  // namespace fetchline
