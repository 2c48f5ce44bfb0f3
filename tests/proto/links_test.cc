#include "proto/links.h"

#include <gtest/gtest.h>

#include "tests/proto/largest_allocation.h"

namespace fetchline {
namespace {

constexpr const char* kPage = "https://a.example/dir/page?q#f";

std::string lines_of(std::string_view html, std::string_view url = kPage) {
  const Emitted emitted = links_of(html, url);
  EXPECT_EQ(emitted.error, "");
  return emitted.lines;
}

TEST(Links, AreWholeUrlsEachOnce) {
  EXPECT_EQ(lines_of("<a href=x>1</a><a href='./x#2'>2</a><img src=/i.png><a href=mailto:x@y>"
                     "<a href='javascript:void(0)'><a href='//b.example'><a href=x?y&amp;z>"),
            "https://a.example/dir/x\nhttps://a.example/i.png\nhttps://b.example/\n"
            "https://a.example/dir/x?y&z\n");
  EXPECT_EQ(lines_of("no links"), "");
}

TEST(Links, LeadNotToAPlaceInThePage) {
  EXPECT_EQ(lines_of("<a href='#top'><a href=''><a href=' #x'><a href>"), "");
  EXPECT_EQ(lines_of("<a href='?q#f'>"), "https://a.example/dir/page?q\n") << "a link to the page";
}

TEST(Links, AreRelativeToTheFirstBaseThatThePageNames) {
  EXPECT_EQ(lines_of("<a href=x><base><base href=/other/><base href=/third/><a href=y>"),
            "https://a.example/other/x\nhttps://a.example/other/y\n");
  EXPECT_EQ(lines_of("<base href='http://b.example/d/'><a href=x>"), "http://b.example/d/x\n");
}

TEST(Links, DoNotFollowABaseThatIsNoUrl) {
  for (const char* base : {"javascript:x", "data:,x", "http://", "http://[", "x:y"}) {
    EXPECT_EQ(lines_of("<base href='" + std::string(base) + "'><base href=/o/><a href=x>"),
              "https://a.example/dir/x\n")
        << base;
  }
}

TEST(Links, NeedAPageWithAUrl) {
  EXPECT_EQ(links_of("<a href=x>", "").error, "the page has no URL of its own");
}

TEST(Links, AreNoMoreThanANextStageCanTake) {
  std::string html;
  for (std::size_t i = 0; html.size() < 3 * kMaxEmitBytes; ++i) {
    html += "<a href=" + std::to_string(i) + std::string(1000, 'x') + ">";
  }
  const Emitted emitted = links_of(html, kPage);
  EXPECT_EQ(emitted.lines, "");
  EXPECT_EQ(emitted.error, "the page has more than 16 MiB of links");
}

TEST(Links, AreNotMadeLongByALongBase) {
  const std::string base = "<base href='/" + std::string(60'000, 'b') + "/'>";
  std::string different = base, same = base;
  for (int i = 0; i < 1'000'000; ++i) different += "<a href=" + std::to_string(i) + ">";
  for (int i = 0; i < 1'000'000; ++i) same += "<a href=x>";
  const LargestAllocation watch;
  EXPECT_EQ(links_of(different, kPage).error, "the page has more than 16 MiB of links");
  EXPECT_EQ(links_of(same, kPage).error,
            "the page has more than 256 MiB of links, with those it repeats");
  EXPECT_LT(watch.bytes(), 4 * kMaxEmitBytes);
  EXPECT_EQ(lines_of("<a href='/" + std::string(kMaxTaskLineBytes, 'x') + "'><a href=y>"),
            "https://a.example/dir/y\n");
}

}  // namespace
}  // namespace fetchline
