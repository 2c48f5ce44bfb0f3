#include "worker/plain_url.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "proto/ascii.h"

namespace fetchline {
namespace {

constexpr std::size_t kMostPortDigits = 5;

bool is_lower(char c) { return 'a' <= c && c <= 'z'; }

bool is_number(std::string_view text, std::size_t most_digits) {
  return !text.empty() && text.size() <= most_digits && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), is_digit);
}

bool is_octet(std::string_view text) {
  if (text == "0") return true;
  return is_number(text, 3) && (text.size() < 3 || text <= "255");
}

bool is_ipv4(std::string_view host) {
  for (int octet = 0; octet < 3; ++octet) {
    const std::size_t dot = host.find('.');
    if (dot == host.npos || !is_octet(host.substr(0, dot))) return false;
    host.remove_prefix(dot + 1);
  }
  return is_octet(host);
}

// Whatever begins with a digit may be another spelling of an address.
bool is_plain_host(std::string_view host) {
  if (host.empty()) return false;
  if (!is_lower(host.front())) return is_ipv4(host);
  return host.back() != '.' && std::all_of(host.begin(), host.end(), [](char c) {
           return is_lower(c) || is_digit(c) || c == '-' || c == '.';
         });
}

bool is_plain_port(std::string_view port) {
  return is_number(port, kMostPortDigits) && (port.size() < kMostPortDigits || port <= "65535");
}

// In paths and queries; a '?' is for the caller to find.
constexpr std::array<bool, 256> kPlainBytes = [] {
  std::array<bool, 256> plain{};
  for (char c = 'a'; c <= 'z'; ++c) plain[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) plain[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("0123456789-._~/:@!$&'()*+,;=?")) {
    plain[static_cast<unsigned char>(c)] = true;
  }
  return plain;
}();

bool is_plain_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kPlainBytes[static_cast<unsigned char>(c)]; });
}

bool takes(std::string_view& from, std::string_view front) {
  if (!from.starts_with(front)) return false;
  from.remove_prefix(front.size());
  return true;
}

}  // namespace

std::optional<PlainUrl> plain_url(std::string_view url) {
  PlainUrl parts;
  std::string_view rest = url;
  if (takes(rest, "http://")) {
    parts.scheme = "http";
  } else if (takes(rest, "https://")) {
    parts.scheme = "https";
  } else {
    return std::nullopt;
  }
  const std::size_t authority = rest.find('/');
  if (authority == rest.npos) return std::nullopt;
  parts.host = rest.substr(0, authority);
  rest.remove_prefix(authority);
  if (const auto colon = parts.host.find(':'); colon != parts.host.npos) {
    parts.port = parts.host.substr(colon + 1);
    parts.host = parts.host.substr(0, colon);
    if (!is_plain_port(parts.port)) return std::nullopt;
  }
  if (!is_plain_host(parts.host) || !is_plain_text(rest)) return std::nullopt;
  parts.path = rest.substr(0, rest.find('?'));
  if (parts.path.find("/.") != parts.path.npos) return std::nullopt;
  if (parts.path.size() == rest.size()) return parts;
  parts.query = rest.substr(parts.path.size() + 1);
  if (parts.query.empty()) return std::nullopt;
  return parts;
}

std::string_view authority_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end != std::string_view::npos) url.remove_prefix(scheme_end + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool is_address(std::string_view authority) {
  const std::size_t user_end = authority.rfind('@');
  if (user_end != authority.npos) authority.remove_prefix(user_end + 1);
  if (authority.starts_with('[')) return true;
  const std::string_view host = authority.substr(0, authority.find(':'));
  return std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace fetchline
