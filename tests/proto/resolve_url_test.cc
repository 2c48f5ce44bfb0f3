#include "proto/resolve_url.h"

#include <gtest/gtest.h>

namespace fetchline {
namespace {

std::string resolved(std::string_view reference, std::string_view base = "http://a/b/c/d;p?q") {
  return resolve_url(base, reference).value_or("none");
}

// RFC 3986, 5.4, less the fragments; the page itself where only a fragment is given.
TEST(ResolveUrl, DoesWhatTheStandardSays) {
  const std::pair<const char*, const char*> kExamples[] = {{"g", "http://a/b/c/g"},
                                                           {"./g", "http://a/b/c/g"},
                                                           {"g/", "http://a/b/c/g/"},
                                                           {"/g", "http://a/g"},
                                                           {"//g", "http://g/"},
                                                           {"?y", "http://a/b/c/d;p?y"},
                                                           {"g?y", "http://a/b/c/g?y"},
                                                           {"#s", "http://a/b/c/d;p?q"},
                                                           {"g#s", "http://a/b/c/g"},
                                                           {"g?y#s", "http://a/b/c/g?y"},
                                                           {";x", "http://a/b/c/;x"},
                                                           {"g;x?y#s", "http://a/b/c/g;x?y"},
                                                           {"", "http://a/b/c/d;p?q"},
                                                           {".", "http://a/b/c/"},
                                                           {"./", "http://a/b/c/"},
                                                           {"..", "http://a/b/"},
                                                           {"../", "http://a/b/"},
                                                           {"../g", "http://a/b/g"},
                                                           {"../..", "http://a/"},
                                                           {"../../g", "http://a/g"},
                                                           {"../../../g", "http://a/g"},
                                                           {"/./g", "http://a/g"},
                                                           {"/../g", "http://a/g"},
                                                           {"g.", "http://a/b/c/g."},
                                                           {"..g", "http://a/b/c/..g"},
                                                           {"./../g", "http://a/b/g"},
                                                           {"./g/.", "http://a/b/c/g/"},
                                                           {"g/../h", "http://a/b/c/h"},
                                                           {"g?y/../x", "http://a/b/c/g?y/../x"}};
  for (const auto& [reference, expected] : kExamples) {
    EXPECT_EQ(resolved(reference), expected) << reference;
  }
}

TEST(ResolveUrl, TakesAWholeUrlAsItIs) {
  EXPECT_EQ(resolved("https://h/x?y"), "https://h/x?y");
  EXPECT_EQ(resolved("HTTPS://H.Example:8080?y"), "https://h.example:8080/?y");
  EXPECT_EQ(resolved("https://User@H/"), "https://User@h/");
  EXPECT_EQ(resolved("https://\xe0:p w@h/"), "https://%E0:p%20w@h/");
  EXPECT_EQ(resolved("//h:1/x", "https://a/"), "https://h:1/x");
}

TEST(ResolveUrl, ReadsWhatPeopleWriteAsBrowsersDo) {
  EXPECT_EQ(resolved(" \n g h \t\r\n"), "http://a/b/c/g%20h");
  EXPECT_EQ(resolved("ht\ntp://\th/"), "http://h/");
  EXPECT_EQ(resolved("\\x\\y?a\\b"), "http://a/x/y?a\\b");
  EXPECT_EQ(resolved("http:\\\\h\\x"), "http://h/x");
  EXPECT_EQ(resolved("http:///h/x"), "http://h/x");
  EXPECT_EQ(resolved("http:g"), "http://a/b/c/g");
  EXPECT_EQ(resolved("https:g"), "https://g/");
  EXPECT_EQ(resolved("%2e%2E/g"), "http://a/b/g");
  EXPECT_EQ(resolved("%41\"<>`{}?\"'<>`"), "http://a/b/c/%41%22%3C%3E%60%7B%7D?%22%27%3C%3E`");
  EXPECT_EQ(resolved("caf\u00e9?\u00e9"), "http://a/b/c/caf%C3%A9?%C3%A9");
  EXPECT_EQ(resolved("caf\xe9?\xe9"), "http://a/b/c/caf%C3%A9?%E9") << "as in a page in Latin-1";
  EXPECT_EQ(resolved("g", "http://a"), "http://a/g");
  EXPECT_EQ(resolved("?x", "http://a"), "http://a/?x");
}

TEST(ResolveUrl, GivesOnlyWhatCanBeFetched) {
  for (const char* reference :
       {"javascript:alert(1)", "JavaScript:x", "data:text/html,x", "mailto:a@b", "ftp://h/",
        "tel:1", "about:blank", "http://", "http://h:x/", "http://h:99999/", "//", "http://a b/",
        "http://[::", "http://h\x01/", "java\nscript:x", " javascript:x", "http://a@b@c/", "x:y"}) {
    EXPECT_EQ(resolved(reference), "none") << reference;
  }
  EXPECT_EQ(resolved("\x01g\x01h"), "http://a/b/c/g%01h");
}

}  // namespace
}  // namespace fetchline
