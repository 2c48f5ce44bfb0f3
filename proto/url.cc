#include "proto/url.h"

#include <arpa/inet.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "proto/ascii.h"

namespace fetchline {
namespace {

using Fault = std::optional<UrlFault>;

constexpr std::size_t kQuotedBytes = 40;     // of the URL in a reason
constexpr std::size_t kHostNameBytes = 253;  // RFC 1035, without the last dot
constexpr std::size_t kLabelBytes = 63;

// Besides letters, digits and bytes of other scripts. The underscore is in no standard and in
// many names.
constexpr std::string_view kHostPunctuation = "-._~";

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_scheme_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

bool is_host_char(char c) {
  return is_alpha(c) || is_digit(c) || !is_ascii(c) ||
         kHostPunctuation.find(c) != std::string_view::npos;
}

Fault fault(std::string_view reason) { return UrlFault{std::string(reason)}; }

// A reason that quotes a bit of the URL.
Fault fault(std::string_view before, std::string_view quoted, std::string_view after) {
  std::string reason(before);
  reason.append(quoted.substr(0, kQuotedBytes));
  if (quoted.size() > kQuotedBytes) reason.append("...");
  return UrlFault{reason.append(after)};
}

Fault find_bad_byte(std::string_view url) {
  if (url.find(' ') != std::string_view::npos) return fault("space in URL");
  if (std::ranges::any_of(url, is_control)) return fault("control character in URL");
  return std::nullopt;
}

// What stands before the "//", for a URL that is not http:// or https://.
Fault scheme_fault(std::string_view scheme, std::string_view after) {
  const bool is_scheme = !scheme.empty() && is_alpha(scheme[0]) && after.starts_with(':');
  // "localhost:8080" and "a.example:x" begin with a host, "mailto:someone" does not.
  const bool is_host = !after.starts_with("://") && (scheme.find('.') != std::string_view::npos ||
                                                     (after.size() > 1 && is_digit(after[1])));
  if (!is_scheme || is_host) return fault("no scheme");
  if (equals_lower(scheme, "http") || equals_lower(scheme, "https")) {
    return fault("no // after the scheme");
  }
  return fault("scheme ", scheme, " is not allowed");
}

// Four numbers with dots between them can only be meant as an address.
bool is_impossible_ipv4(std::string_view host) {
  const bool looks_like_ipv4 =
      std::ranges::count(host, '.') == 3 &&
      std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
  in_addr address{};
  return looks_like_ipv4 && inet_pton(AF_INET, std::string(host).c_str(), &address) != 1;
}

Fault check_labels(std::string_view host) {
  while (!host.empty()) {
    const auto label = host.substr(0, host.find('.'));
    if (label.empty()) return fault("empty label in host");
    // How long a label of another script becomes is known only after IDNA.
    if (label.size() > kLabelBytes && std::ranges::all_of(label, is_ascii)) {
      return fault("a label of the host is longer than 63 bytes");
    }
    host.remove_prefix(std::min(label.size() + 1, host.size()));
  }
  return std::nullopt;
}

Fault check_name(std::string_view host) {
  const auto bad = std::ranges::find_if_not(host, is_host_char);
  if (bad != host.end()) return fault("character ", {bad, 1}, " in host");
  if (!simdjson::validate_utf8(host.data(), host.size())) return fault("host is not UTF-8");
  if (host.size() > kHostNameBytes + 1 && std::ranges::all_of(host, is_ascii)) {
    return fault("host is longer than 253 bytes");
  }
  if (is_impossible_ipv4(host)) return fault("", host, " is not an IPv4 address");
  return check_labels(host);
}

Fault check_ipv6(std::string_view host) {
  const auto address = host.substr(0, host.find('%'));
  const auto zone = host.substr(address.size());
  in6_addr parsed{};
  if (inet_pton(AF_INET6, std::string(address).c_str(), &parsed) != 1) {
    return fault("[", host, "] is not an IPv6 address");
  }
  // RFC 6874 writes the zone's percent sign as %25, people and libcurl write it as it is.
  if (!zone.empty() && (zone.size() == 1 || !std::ranges::all_of(zone.substr(1), is_host_char))) {
    return fault("bad zone of the IPv6 address");
  }
  return std::nullopt;
}

Fault read_port(std::string_view text, UrlView& url) {
  if (text.empty()) return std::nullopt;  // "http://a:/" is allowed by RFC 3986
  if (!std::ranges::all_of(text, is_digit)) {
    return fault("port ", text, " is not a number");
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  if (error != std::errc{} || url.port == 0) {
    return fault("port ", text, " is out of range");
  }
  return std::nullopt;
}

Fault read_bracketed(std::string_view authority, UrlView& url) {
  const auto close = authority.find(']');
  if (close == std::string_view::npos) return fault("no ] after the IPv6 address");
  url.host = authority.substr(1, close - 1);
  if (auto bad = check_ipv6(url.host)) return bad;
  const auto rest = authority.substr(close + 1);
  if (rest.empty()) return std::nullopt;
  if (rest[0] != ':') return fault("text after the IPv6 address");
  return read_port(rest.substr(1), url);
}

Fault read_authority(std::string_view authority, UrlView& url) {
  if (authority.find('\\') != std::string_view::npos) return fault("backslash in host");
  const auto at = authority.find('@');
  if (at != authority.rfind('@')) return fault("more than one @ before the host");
  if (at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return read_bracketed(authority, url);
  const auto colon = authority.find(':');
  url.host = authority.substr(0, colon);
  if (url.host.empty() || url.host == ".") return fault("no host");
  if (auto bad = check_name(url.host)) return bad;
  return colon == std::string_view::npos ? std::nullopt
                                         : read_port(authority.substr(colon + 1), url);
}

}  // namespace

std::variant<UrlView, UrlFault> parse_url(std::string_view url) {
  if (auto bad = find_bad_byte(url)) return *bad;
  const auto scheme_end = std::ranges::find_if_not(url, is_scheme_char);
  const auto scheme = url.substr(0, static_cast<std::size_t>(scheme_end - url.begin()));
  const auto after = url.substr(scheme.size());
  const bool http = equals_lower(scheme, "http");
  if (!after.starts_with("://") || (!http && !equals_lower(scheme, "https"))) {
    return *scheme_fault(scheme, after);
  }
  UrlView view{scheme, {}, static_cast<std::uint16_t>(http ? 80 : 443)};
  const auto rest = after.substr(3);
  if (auto bad = read_authority(rest.substr(0, rest.find_first_of("/?#")), view)) return *bad;
  return view;
}

std::string without_userinfo(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::string(url);
  const auto start = scheme_end + 3;
  const auto authority = url.substr(start, url.find_first_of("/?#", start) - start);
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, start)) + std::string(url.substr(start + at + 1));
}

}  // namespace fetchline
