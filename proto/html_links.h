// The URLs in the start tags of an HTML page, in their order, as the page has them. Pure.
//
// A tokenizer as HTML describes it (13.2.5), for what stands in tags, with comments, scripts and
// the other texts that hide them; there is no tree. So it takes time in proportion to the page
// and no memory, whatever the page: with a tree 100,000 nested elements take minutes in some
// parsers, and with others 200,000 attributes do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

struct HtmlLink {
  bool is_base = false;  // <base href>: what the others are relative to
  std::string url;       // with its character references undone; any bytes
};

// a[href], area[href], img[src], iframe[src], frame[src] and base[href]. Of character references
// the numeric ones, and by name &amp; &lt; &gt; &quot; and &apos;, are undone.
class HtmlLinks {
 public:
  explicit HtmlLinks(std::string_view html) : rest_(html) {}  // which outlives this

  [[nodiscard]] std::optional<HtmlLink> next();

 private:
  struct Tag {
    std::string_view name;
    std::optional<std::string_view> url;
  };
  [[nodiscard]] std::optional<Tag> take_start_tag();
  [[nodiscard]] std::optional<Tag> take_tag();
  [[nodiscard]] std::string_view take_value();
  [[nodiscard]] std::string_view take_until(std::string_view ends);
  void skip(std::string_view any);
  void skip_past(char end);
  void skip_comment();
  void skip_text_of(std::string_view element);
  void skip_raw_text(std::string_view element);
  void skip_script();

  std::string_view rest_;
};

}  // namespace fetchline
