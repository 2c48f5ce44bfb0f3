#include "proto/html_links.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace fetchline {
namespace {

using Urls = std::vector<std::string>;

// A base is shown as "base URL".
Urls urls_in(std::string_view html) {
  Urls urls;
  HtmlLinks links(html);
  while (const auto link = links.next()) urls.push_back((link->is_base ? "base " : "") + link->url);
  return urls;
}

TEST(HtmlLinks, AreThoseOfTheTagsThatLinkInTheirOrder) {
  EXPECT_EQ(urls_in(R"(<!DOCTYPE html><html><head><base href="b"><link href=no><title>t</title>)"
                    R"(<body><p>x<A HREF='a1'>y</A><area shape=rect href=a2><img alt="" src="i">)"
                    R"(<iframe src=f></iframe><frame src="g"><script src=no></script><a name=n>)"
                    R"(<a/href=a3/><img src=k/>)"),
            (Urls{"base b", "a1", "a2", "i", "f", "g", "a3/", "k/"}));
}

TEST(HtmlLinks, ReadAttributesAsBrowsersDo) {
  EXPECT_EQ(urls_in("<a\n\thref\f=\r\n'x y'>"), Urls{"x y"});
  EXPECT_EQ(urls_in("<a href=1 href=2 HREF=3>"), Urls{"1"}) << "the first counts";
  EXPECT_EQ(urls_in("<a href>"), Urls{""});
  EXPECT_EQ(urls_in("<a href=>x"), Urls{""});
  EXPECT_EQ(urls_in("<a href= >"), Urls{""});
  EXPECT_EQ(urls_in("<a title='>' href=x>"), Urls{"x"});
  EXPECT_EQ(urls_in("<a =href=x>"), Urls{}) << "its name is =href";
  EXPECT_EQ(urls_in("<a title=\"a\"href=x>"), Urls{"x"});
  EXPECT_EQ(urls_in("<a href=x\"y'z>"), Urls{"x\"y'z"});
  EXPECT_EQ(urls_in("<a data-href=x xhref=y hrefx=z>"), Urls{});
  EXPECT_EQ(urls_in("< a href=x><ab href=x><a:b href=x><1a href=x></a href=x>"), Urls{});
}

TEST(HtmlLinks, UndoCharacterReferences) {
  EXPECT_EQ(urls_in("<a href='?a=1&amp;b=2&lt=3&gt;&quot;&apos;&AMP;'>"),
            Urls{"?a=1&b=2&lt=3>\"'&"});
  EXPECT_EQ(urls_in("<a href='&amp&#38;&#x26;&#X3d;&#61'>"), Urls{"&&&=="});
  EXPECT_EQ(urls_in("<a href='&copy=1&ampx&apos&#;&#x;&;&'>"), Urls{"&copy=1&ampx&apos&#;&#x;&;&"});
  EXPECT_EQ(urls_in("<a href='&#0;&#xD800;&#99999999999;&#x80;&#233;&#x1F600;'>"),
            Urls{"\ufffd\ufffd\ufffd\u20ac\u00e9\U0001F600"});
}

TEST(HtmlLinks, PassOverWhatIsNoMarkup) {
  for (const char* hidden :
       {"<!--<a href=x>-->", "<!-- -- > <a href=x> --!>", "<?php <a href=x", "<!x <a href=x>",
        "</ <a href=x>", "<style><a href=x></style>", "<title></titlex><a href=x></TITLE >",
        "<textarea><a href=x></textarea/>", "<xmp><a href=x></xmp>",
        "<noframes><a href=x></noframes>", "<script>'<a href=x>'</script>",
        "<script><!-- <script> </script> <a href=x> --></script>",
        "<script><!--<script></script></script>", "<iframe><a href=x></iframe>"}) {
    EXPECT_EQ(urls_in(std::string(hidden) + "><a href=seen>"), Urls{"seen"}) << hidden;
  }
  for (const char* shown :
       {"<!-->", "<!--->", "<>", "</>", "</p>", "<!>", "<?>", "<noscript>", "<script></script>",
        "<script><!--</script>", "<script><!--><script></script>", "<template>", "<svg/>", "&<",
        "<\n", "<!---->", "<!----!>", "<!--a--b-->"}) {
    EXPECT_EQ(urls_in(std::string(shown) + "<a href=seen>"), Urls{"seen"}) << shown;
  }
  EXPECT_EQ(urls_in("<plaintext></plaintext><a href=x>"), Urls{});
}

TEST(HtmlLinks, EndWithThePage) {
  for (const char* torn : {"<",
                           "<a",
                           "<a ",
                           "<a href",
                           "<a href=",
                           "<a href=x",
                           "<a href='x'",
                           "<a href='x>",
                           "<!",
                           "<!-",
                           "<!--",
                           "<!-- -",
                           "<!-- --",
                           "</",
                           "</a",
                           "<script>",
                           "<script></",
                           "<script><!-",
                           "<title></title",
                           "<?",
                           "<a href=&#",
                           "<a ="}) {
    EXPECT_EQ(urls_in(std::string("<a href=1>") + torn), Urls{"1"}) << torn;
  }
}

TEST(HtmlLinks, TakeAnyBytes) {
  using namespace std::string_literals;
  EXPECT_EQ(urls_in("<a href='\xff\0\x80'><\0a href=x>"s), Urls{"\xff\0\x80"s});
}

// Each of these takes other parsers minutes, or their stack or memory. Twice as much takes about
// twice as long here; were it four times, one of them would not end within the patience of a test.
TEST(HtmlLinks, TakeTimeInProportionToThePage) {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  for (const char* unit :
       {"<div>",    "<a",   "<a ",     "<a href=x ",      "<a href='", "<a x=y z",
        "<",        "<!--", "<!---",   "<!--!",           "<script>",  "<script><!--",
        "</script", "</",   "<b></i>", "<title>",         "<title></", "&",
        "&#",       "=",    "'",       "<a href=\"&amp;", "-",         "--!",
        "<!-- --!"}) {
    std::string html;
    while (html.size() < kBytes) html += unit;
    for (const char* before : {"", "<a ", "<a href='", "<script><!--", "<title>", "<!--"}) {
      (void)urls_in(before + html);
    }
  }
}

}  // namespace
}  // namespace fetchline
