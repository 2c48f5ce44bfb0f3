#include "proto/links.h"

#include <functional>
#include <string>
#include <unordered_set>

#include "proto/html_links.h"
#include "proto/resolve_url.h"
#include "proto/url.h"

namespace fetchline {
namespace {

// Of what is resolved, also when it is a URL that was there before: a page may have a long base and
// millions of short links to the same place.
constexpr std::size_t kMostResolvedBytes = 16 * kMaxEmitBytes;

// The first <base href> counts, wherever it stands, and none when it is no URL of ours.
std::string base_of(std::string_view html, std::string_view url) {
  HtmlLinks links(html);
  while (const auto link = links.next()) {
    if (link->is_base) return resolve_url(url, link->url).value_or(std::string(url));
  }
  return std::string(url);
}

bool is_place_in_page(std::string_view reference) {
  const auto first = reference.find_first_not_of(" \t\n\f\r");
  return first == reference.npos || reference[first] == '#';
}

Emitted too_many(std::size_t bytes, const std::string& of_what) {
  return {.lines = {}, .error = "the page has more than " + mib_text(bytes) + " of " + of_what};
}

}  // namespace

Emitted links_of(std::string_view html, std::string_view url) {
  if (!std::holds_alternative<UrlView>(parse_url(url))) {
    return {.lines = {}, .error = "the page has no URL of its own"};
  }
  const std::string base = base_of(html, url);
  Emitted emitted;
  std::size_t resolved_bytes = 0;
  // Hashes, for there may be millions; two that are equal cost one link.
  std::unordered_set<std::size_t> seen;
  HtmlLinks links(html);
  while (const auto link = links.next()) {
    if (link->is_base || is_place_in_page(link->url)) continue;
    const auto resolved = resolve_url(base, link->url);
    if (!resolved) continue;
    resolved_bytes += resolved->size();
    const bool is_new = seen.insert(std::hash<std::string>()(*resolved)).second;
    if (is_new && resolved->size() <= kMaxTaskLineBytes)
      emitted.lines.append(*resolved).append("\n");
    if (emitted.lines.size() > kMaxEmitBytes) return too_many(kMaxEmitBytes, "links");
    if (resolved_bytes > kMostResolvedBytes) {
      return too_many(kMostResolvedBytes, "links, with those it repeats");
    }
  }
  return emitted;
}

}  // namespace fetchline
