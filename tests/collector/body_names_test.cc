#include "collector/body_names.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "proto/json_text.h"

namespace fetchline {
namespace {

// Takes the names of consecutive results.
class Names {
 public:
  std::string take(const std::string& wish, const std::string& url = "http://a.example/page") {
    auto name = names_.choose(next_, url, wish);
    names_.add(next_++, name);
    return name;
  }
  void skip_to(Index index) { next_ = index; }

 private:
  BodyNames names_;
  Index next_ = 0;
};

TEST(BodyNames, AreTheIndexAndTheLastSegmentOfTheUrl) {
  EXPECT_EQ(name_after_url(0, "http://a.example/dir/page.html"), "0000000000-page.html");
  EXPECT_EQ(name_after_url(42, "https://a.example/b/c.d_e-f?q=/x#y"), "0000000042-c.d_e-f");
  EXPECT_EQ(name_after_url(9'999'999'999, "http://a.example/x"), "9999999999-x");
  EXPECT_EQ(name_after_url(12'345'678'901, "http://a.example/x"), "12345678901-x");
}

TEST(BodyNames, SayIndexWhenTheUrlHasNoLastSegment) {
  for (const char* url : {"http://a.example", "http://a.example/", "http://a.example/dir/",
                          "http://a.example?q", "http://a.example#/f", "http://", "", "no url"}) {
    EXPECT_EQ(name_after_url(7, url), "0000000007-index") << url;
  }
}

TEST(BodyNames, KeepNothingOfAHostileUrlButPlainCharacters) {
  EXPECT_EQ(name_after_url(0, "http://a/.."), "0000000000-_.");
  EXPECT_EQ(name_after_url(0, "http://a/."), "0000000000-_");
  EXPECT_EQ(name_after_url(0, "http://a/-rf"), "0000000000-_rf");
  EXPECT_EQ(name_after_url(0, "http://a/..%2f..%2Fetc"), "0000000000-_._2f.._2Fetc");
  EXPECT_EQ(name_after_url(0, "http://a/b\\c:d e\n\x7f*"), "0000000000-b_c_d_e___");
  EXPECT_EQ(name_after_url(0, std::string("http://a/b\0c", 12)), "0000000000-b_c");
  EXPECT_EQ(name_after_url(0, "http://a/\xc3\xa9\xff"), "0000000000-___");
  EXPECT_EQ(name_after_url(0, "http://a/" + std::string(5000, 'x')),
            "0000000000-" + std::string(100, 'x'));
}

TEST(BodyNames, AreExactlyWhatTheTaskWishesWhenThatIsSafe) {
  for (const char* wish :
       {"name.html", "a b", "Ä-日本語-🙂.txt", "a..b", "x\\y", "C:", "a\"'*?<>|",
        "1700000000-page", "20260101123000-report.html", "0000000009-later"}) {
    Names names;
    EXPECT_EQ(names.take(wish), wish);
  }
  EXPECT_EQ(name_after_wish(std::string(200, 'x')), std::string(200, 'x'));
}

TEST(BodyNames, AreMadeSafeWhenTheTaskWishesForMore) {
  EXPECT_EQ(name_after_wish("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(name_after_wish("/etc/passwd"), "_etc_passwd");
  EXPECT_EQ(name_after_wish("."), "_");
  EXPECT_EQ(name_after_wish(".."), "_.");
  EXPECT_EQ(name_after_wish(".bashrc"), "_bashrc");
  EXPECT_EQ(name_after_wish("-rf"), "_rf");
  EXPECT_EQ(name_after_wish("dir/"), "dir_");
  EXPECT_EQ(name_after_wish("a\nb\tc\x1b[2J\x7f"), "a_b_c_[2J_");
  EXPECT_EQ(name_after_wish(std::string("a\0b", 3)), "a_b");
  EXPECT_EQ(name_after_wish("a\xc2\x9b"
                            "2J"),
            "a__2J")
      << "a control character of 8 bits";
  EXPECT_EQ(name_after_wish("a\xff\xc3"), "a__") << "not UTF-8";
}

TEST(BodyNames, AreCutBetweenCharacters) {
  EXPECT_EQ(name_after_wish(std::string(5000, 'x')), std::string(200, 'x'));
  EXPECT_EQ(name_after_wish(std::string(5000, 'x') + ".html"), std::string(195, 'x') + ".html");
  EXPECT_EQ(name_after_wish("a." + std::string(5000, 'x')), "a." + std::string(198, 'x'));
  EXPECT_EQ(name_after_url(7, "http://a/" + std::string(5000, '%') + ".png?x=1.y"),
            "0000000007-" + std::string(96, '_') + ".png");
  EXPECT_EQ(name_after_wish(std::string(199, 'x') + "é"), std::string(199, 'x'));
  EXPECT_EQ(name_after_wish(std::string(198, 'x') + "éé"), std::string(198, 'x') + "é");
}

TEST(BodyNames, HaveTheIndexInFrontWhenAnEarlierRecordHasTheName) {
  Names names;
  EXPECT_EQ(names.take("a"), "a");
  EXPECT_EQ(names.take("a"), "0000000001-a");
  EXPECT_EQ(names.take("b"), "b");
  EXPECT_EQ(names.take("a"), "0000000003-a");
}

TEST(BodyNames, ClashNeitherWithEarlierNorWithLaterNamesThatHaveAnIndex) {
  Names names;
  EXPECT_EQ(names.take("0000000002-page"), "0000000002-page");
  EXPECT_EQ(names.take("0000000000-page"), "0000000001-0000000000-page");
  EXPECT_EQ(names.take(""), "0000000002-0000000002-page");
  EXPECT_EQ(names.take("0000000003-page"), "0000000003-page");
  EXPECT_EQ(names.take("0000000003-page"), "0000000004-0000000003-page");
}

TEST(BodyNames, AreNeverThoseThatAreReserved) {
  BodyNames names;
  names.reserve("out");
  EXPECT_EQ(names.choose(5, "", "out"), "0000000005-out");
}

TEST(BodyNames, CanBeTakenUpFromThoseThatAreOut) {
  BodyNames names;
  names.add(0, "a");
  names.add(1, "0000000001-page");
  EXPECT_EQ(names.choose(2, "", "a"), "0000000002-a");
  EXPECT_EQ(names.choose(2, "", "0000000001-page"), "0000000002-0000000001-page");
}

// Whatever is wished: a safe name, and one's own.
TEST(BodyNames, AreSafeAndUniqueForAnyWish) {
  std::mt19937_64 random(1);
  const std::vector<std::string> parts = {
      ".", "..",       "/", "-",    "0000000100-", "0000000007-",        "a",
      "b", "\xc2\x80", "é", "\xff", "\n",          std::string(90, 'x'), std::string(1, '\0')};
  Names names;
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    std::string wish, url = "http://h/";
    for (auto count = random() % 4; count > 0; --count) wish += parts[random() % parts.size()];
    for (auto count = random() % 4; count > 0; --count) url += parts[random() % parts.size()];
    const std::string name = names.take(wish, url);
    ASSERT_TRUE(seen.insert(name).second) << name;
    ASSERT_TRUE(is_utf8(name));
    ASSERT_LE(name.size(), 255U);
    ASSERT_EQ(name.find_first_of(std::string("/\n\0", 3)), name.npos);
    ASSERT_TRUE(name.front() != '.' && name.front() != '-') << name;
  }
}

}  // namespace
}  // namespace fetchline
