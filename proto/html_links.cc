#include "proto/html_links.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proto/ascii.h"

namespace fetchline {
namespace {

constexpr std::string_view kSpaces = "\t\n\f\r ";

// The attribute of a tag that is a link; empty: none.
std::string_view link_attribute(std::string_view tag) {
  struct Linking {
    std::string_view tag, attribute;
  };
  constexpr std::array<Linking, 6> kLinking = {{{"a", "href"},
                                                {"area", "href"},
                                                {"base", "href"},
                                                {"img", "src"},
                                                {"iframe", "src"},
                                                {"frame", "src"}}};
  const auto found = std::ranges::find_if(
      kLinking, [tag](const Linking& linking) { return equals_lower(tag, linking.tag); });
  return found == kLinking.end() ? std::string_view() : found->attribute;
}

// What text begins with, `name` being in lower case, as a tag of that name goes on.
bool begins_tag(std::string_view text, std::string_view name) {
  return text.size() > name.size() && equals_lower(text.substr(0, name.size()), name) &&
         (kSpaces.find(text[name.size()]) != kSpaces.npos || text[name.size()] == '/' ||
          text[name.size()] == '>');
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

// What a number means that is no character: as browsers have it, the one of Windows-1252.
std::uint32_t character_of(std::uint32_t number) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  constexpr std::array<std::uint16_t, 32> kWindows1252 = {
      0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
      0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number < 0xE000)) {
    return kReplacement;
  }
  return number >= 0x80 && number < 0xA0 ? kWindows1252.at(number - 0x80) : number;
}

std::optional<std::uint32_t> digit_of(char c, std::uint32_t base) {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  const char small = lower(c);
  if (base == 16 && small >= 'a' && small <= 'f')
    return static_cast<std::uint32_t>(small - 'a' + 10);
  return std::nullopt;
}

// Behind "&#". How much of the text it was; 0: it is none.
std::size_t append_numeric(std::string& out, std::string_view text) {
  const bool is_hex = text.starts_with('x') || text.starts_with('X');
  const std::uint32_t base = is_hex ? 16 : 10;
  const std::size_t begin = is_hex ? 1 : 0;
  std::size_t end = begin;
  std::uint32_t number = 0;
  for (; end < text.size(); ++end) {
    const auto digit = digit_of(text[end], base);
    if (!digit) break;
    number = std::min<std::uint32_t>(number * base + *digit, 0x110000);
  }
  if (end == begin) return 0;
  append_utf8(out, character_of(number));
  return end < text.size() && text[end] == ';' ? end + 1 : end;
}

// Behind "&". In an attribute one without a semicolon is none when a letter or "=" follows:
// "?a=1&lt=2".
std::size_t append_named(std::string& out, std::string_view text) {
  struct Named {
    std::string_view name;
    char character;
  };
  constexpr std::array<Named, 9> kNamed = {{{"amp", '&'},
                                            {"AMP", '&'},
                                            {"lt", '<'},
                                            {"LT", '<'},
                                            {"gt", '>'},
                                            {"GT", '>'},
                                            {"quot", '"'},
                                            {"QUOT", '"'},
                                            {"apos", '\''}}};
  const auto found =
      std::ranges::find_if(kNamed, [text](const Named& one) { return text.starts_with(one.name); });
  if (found == kNamed.end()) return 0;
  const char next = found->name.size() < text.size() ? text[found->name.size()] : '\0';
  if (next != ';' && (next == '=' || is_alpha(next) || is_digit(next) || found->name == "apos")) {
    return 0;
  }
  out += found->character;
  return found->name.size() + (next == ';' ? 1 : 0);
}

std::string without_references(std::string_view text) {
  std::string plain;
  while (true) {
    const auto mark = text.find('&');
    plain += text.substr(0, mark);
    if (mark == text.npos) return plain;
    text.remove_prefix(mark + 1);
    const bool is_number = text.starts_with('#');
    const std::size_t taken =
        is_number ? append_numeric(plain, text.substr(1)) : append_named(plain, text);
    if (taken == 0) {
      plain += '&';
    } else {
      text.remove_prefix(taken + (is_number ? 1 : 0));
    }
  }
}

}  // namespace

std::optional<HtmlLink> HtmlLinks::next() {
  while (true) {
    const auto open = rest_.find('<');
    if (open == rest_.npos) return std::nullopt;
    rest_.remove_prefix(open + 1);
    const auto tag = take_start_tag();
    if (!tag) continue;
    skip_text_of(tag->name);
    if (tag->url) {
      return HtmlLink{.is_base = equals_lower(tag->name, "base"),
                      .url = without_references(*tag->url)};
    }
  }
}

// Behind a "<": what is no start tag is passed over.
std::optional<HtmlLinks::Tag> HtmlLinks::take_start_tag() {
  const char first = rest_.empty() ? '\0' : rest_.front();
  if (is_alpha(first)) return take_tag();
  if (rest_.starts_with("!--")) {
    skip_comment();
  } else if (first == '!' || first == '?') {
    skip_past('>');
  } else if (first == '/' && rest_.size() > 1) {
    rest_.remove_prefix(1);
    if (is_alpha(rest_.front())) {
      (void)take_tag();
    } else {
      skip_past('>');
    }
  }
  return std::nullopt;
}

// From its name on; none when the page ends in it.
std::optional<HtmlLinks::Tag> HtmlLinks::take_tag() {
  Tag tag{.name = take_until("\t\n\f\r />"), .url = {}};
  const std::string_view wanted = link_attribute(tag.name);
  while (true) {
    skip("\t\n\f\r /");
    if (rest_.empty()) return std::nullopt;
    if (rest_.front() == '>') break;
    const std::size_t own = rest_.front() == '=' ? 1 : 0;  // a name may begin with it
    const std::size_t end = std::min(rest_.find_first_of("\t\n\f\r />=", own), rest_.size());
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    const std::string_view value = take_value();
    const bool is_first = !tag.url && !wanted.empty() && equals_lower(name, wanted);
    if (is_first) tag.url = value;
  }
  rest_.remove_prefix(1);
  return tag;
}

std::string_view HtmlLinks::take_value() {
  skip(kSpaces);
  if (!rest_.starts_with('=')) return {};
  rest_.remove_prefix(1);
  skip(kSpaces);
  if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return take_until("\t\n\f\r >");
  const char quote = rest_.front();
  rest_.remove_prefix(1);
  const std::string_view value = rest_.substr(0, rest_.find(quote));
  rest_.remove_prefix(std::min(value.size() + 1, rest_.size()));
  return value;
}

std::string_view HtmlLinks::take_until(std::string_view ends) {
  const std::string_view taken = rest_.substr(0, rest_.find_first_of(ends));
  rest_.remove_prefix(taken.size());
  return taken;
}

void HtmlLinks::skip(std::string_view any) {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(any), rest_.size()));
}

void HtmlLinks::skip_past(char end) {
  const auto at = rest_.find(end);
  rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + 1);
}

// From "!--" on, to "-->" or "--!>"; "<!-->" and "<!--->" are whole.
void HtmlLinks::skip_comment() {
  rest_.remove_prefix(3);
  if (rest_.starts_with('>') || rest_.starts_with("->")) return skip_past('>');
  for (auto at = rest_.find("--"); at != rest_.npos; at = rest_.find("--", at + 1)) {
    const std::string_view behind = rest_.substr(at + 2);
    if (!behind.starts_with('>') && !behind.starts_with("!>")) continue;
    rest_ = behind;
    return skip_past('>');
  }
  rest_ = {};
}

// Elements whose content is no markup.
void HtmlLinks::skip_text_of(std::string_view element) {
  constexpr std::array<std::string_view, 7> kRaw = {"style",    "xmp",      "iframe", "noembed",
                                                    "noframes", "textarea", "title"};
  if (equals_lower(element, "script")) return skip_script();
  if (equals_lower(element, "plaintext")) return static_cast<void>(rest_ = {});
  for (const std::string_view raw : kRaw) {
    if (equals_lower(element, raw)) return skip_raw_text(raw);
  }
}

// To the end tag of the same name.
void HtmlLinks::skip_raw_text(std::string_view element) {
  for (auto at = rest_.find("</"); at != rest_.npos; at = rest_.find("</", at + 2)) {
    if (!begins_tag(rest_.substr(at + 2), element)) continue;
    return rest_.remove_prefix(at);
  }
  rest_ = {};
}

// Between "<!--" and "-->" a script may hold another with its end tag.
void HtmlLinks::skip_script() {
  bool escaped = false, within = false;
  for (std::size_t at = 0; at < rest_.size(); ++at) {
    at = rest_.find_first_of("<-", at);
    if (at == rest_.npos) break;
    const std::string_view here = rest_.substr(at);
    if (escaped && here.starts_with("-->")) {
      escaped = within = false;
    } else if (!escaped && here.starts_with("<!--")) {
      escaped = true;
      at += 1;  // "<!-->" is whole
    } else if (here.starts_with("</") && begins_tag(here.substr(2), "script")) {
      if (!within) return rest_.remove_prefix(at);
      within = false;
    } else if (escaped && here.starts_with('<') && begins_tag(here.substr(1), "script")) {
      within = true;
    }
  }
  rest_ = {};
}

}  // namespace fetchline
