#include "proto/resolve_url.h"

#include <algorithm>

#include "proto/ascii.h"
#include "proto/json_text.h"
#include "proto/url.h"

namespace fetchline {
namespace {

bool is_slash(char c) { return c == '/' || c == '\\'; }

// Views into a URL; the path has no query, the query has its "?".
struct Parts {
  std::string_view scheme, authority, path, query;
};

Parts parts_of(std::string_view url) {
  Parts parts;
  parts.scheme = url.substr(0, url.find(':'));
  url.remove_prefix(parts.scheme.size() + 3);
  url = url.substr(0, url.find('#'));
  parts.authority = url.substr(0, url.find_first_of("/?"));
  url.remove_prefix(parts.authority.size());
  parts.path = url.substr(0, url.find('?'));
  parts.query = url.substr(parts.path.size());
  return parts;
}

std::string cleaned(std::string_view reference) {
  const auto is_edge = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!reference.empty() && is_edge(reference.front())) reference.remove_prefix(1);
  while (!reference.empty() && is_edge(reference.back())) reference.remove_suffix(1);
  std::string text(reference.substr(0, reference.find('#')));
  std::erase_if(text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
  return text;
}

// "https" of "https:…"; empty: there is none.
std::string_view scheme_of(std::string_view text) {
  const auto end = std::ranges::find_if_not(
      text, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
  const auto scheme = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (end == text.end() || *end != ':' || scheme.empty() || !is_alpha(scheme.front())) return {};
  return scheme;
}

void append_encoded(std::string& out, std::string_view text, std::string_view unfit) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && unfit.find(c) == unfit.npos) {
      out += c;
      continue;
    }
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
}

// "." is 1, ".." is 2, anything else 0; a dot may be written as %2e.
int dots_of(std::string_view segment) {
  int dots = 0;
  while (!segment.empty() && dots < 3) {
    const bool is_dot = segment.front() == '.';
    if (!is_dot && lowered(segment.substr(0, 3)) != "%2e") return 0;
    segment.remove_prefix(is_dot ? 1 : 3);
    ++dots;
  }
  return dots < 3 ? dots : 0;
}

// The path without its "." and "..", encoded; it begins with a slash.
std::string plain_path(std::string_view path) {
  std::string plain;
  while (!path.empty()) {
    path.remove_prefix(1);  // a slash
    const auto segment = path.substr(0, path.find_first_of("/\\"));
    path.remove_prefix(segment.size());
    const int dots = dots_of(segment);
    if (dots == 2) plain.resize(plain.empty() ? 0 : plain.rfind('/'));
    if (dots == 0) append_encoded(plain += '/', segment, "\"#<>?`{}");
    if (dots > 0 && path.empty()) plain += '/';
  }
  return plain.empty() ? "/" : plain;
}

std::string with_slash_ahead(std::string_view path) {
  std::string absolute(path.empty() || !is_slash(path.front()) ? 1 : 0, '/');
  return absolute.append(path);
}

struct Target {
  std::string scheme, authority, path, query;
};

void read_path(std::string_view text, Target& target) {
  target.path = text.substr(0, text.find('?'));
  target.query = text.substr(target.path.size());
}

// "host/path?query", with as many slashes in front as there are.
void read_authority(std::string_view text, Target& target) {
  while (!text.empty() && is_slash(text.front())) text.remove_prefix(1);
  target.authority = text.substr(0, text.find_first_of("/\\?"));
  read_path(text.substr(target.authority.size()), target);
}

void read_relative(const Parts& base, std::string_view text, Target& target) {
  if (text.size() > 1 && is_slash(text[0]) && is_slash(text[1])) {
    return read_authority(text, target);
  }
  target.authority = base.authority;
  read_path(text, target);
  if (!target.path.empty() && is_slash(target.path.front())) return;
  if (target.path.empty()) {
    target.path = base.path;
    if (text.empty()) target.query = base.query;
  } else {
    target.path.insert(0, base.path.substr(0, base.path.rfind('/') + 1));
  }
}

// The scheme and the host are the same in small letters, who is before an "@" is not.
std::string with_small_host(std::string_view authority) {
  const auto at = authority.rfind('@');
  const std::size_t host = at == authority.npos ? 0 : at + 1;
  std::string same;
  append_encoded(same, authority.substr(0, host), "\"<>`{}");
  return same + lowered(authority.substr(host));
}

}  // namespace

std::optional<std::string> resolve_url(std::string_view base, std::string_view reference) {
  const std::string text = cleaned(reference);
  const Parts from = parts_of(base);
  const std::string_view scheme = scheme_of(text);
  Target target{.scheme = lowered(scheme.empty() ? from.scheme : scheme),
                .authority = {},
                .path = {},
                .query = {}};
  if (target.scheme != "http" && target.scheme != "https") return std::nullopt;
  const auto rest = std::string_view(text).substr(scheme.empty() ? 0 : scheme.size() + 1);
  const bool has_slashes = rest.size() > 1 && is_slash(rest[0]) && is_slash(rest[1]);
  if (scheme.empty() || (!has_slashes && target.scheme == lowered(from.scheme))) {
    read_relative(from, rest, target);
  } else {
    read_authority(rest, target);
  }
  std::string url = target.scheme + "://" + with_small_host(target.authority) +
                    plain_path(with_slash_ahead(to_utf8(target.path)));
  append_encoded(url, target.query, "\"#<>'");
  if (!std::holds_alternative<UrlView>(parse_url(url))) return std::nullopt;
  return url;
}

}  // namespace fetchline
