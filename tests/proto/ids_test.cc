#include "proto/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace fetchline {
namespace {

constexpr std::string_view kHex = "000102030405060708090a0b0c0d0eff";

TEST(JobId, IsWrittenAsHexDigitsAndReadBack) {
  const auto job = parse_job_id(kHex);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->bytes[1], 0x01);
  EXPECT_EQ(job->bytes[15], 0xFF);
  EXPECT_EQ(to_string(*job), kHex);
}

TEST(JobId, IsReadFromNothingButItsOwnForm) {
  EXPECT_FALSE(parse_job_id(""));
  EXPECT_FALSE(parse_job_id(kHex.substr(1)));
  EXPECT_FALSE(parse_job_id(std::string(kHex) + "0"));
  for (const char wrong : {'g', 'F', ' ', '-', '\0', '/', ':', '`', '\xFF'}) {
    for (const std::size_t at : {0U, 1U, 31U}) {
      std::string text(kHex);
      text[at] = wrong;
      EXPECT_FALSE(parse_job_id(text)) << text;
    }
  }
}

TEST(JobId, IsNoneUntilDrawn) {
  EXPECT_TRUE(JobId{}.is_none());
  EXPECT_EQ(to_string(JobId{}), std::string(32, '0'));
  EXPECT_FALSE(random_job_id().is_none());
}

TEST(JobId, IsDrawnAnewEachTime) {
  std::set<JobId> drawn;
  for (int i = 0; i < 1000; ++i) drawn.insert(random_job_id());
  EXPECT_EQ(drawn.size(), 1000U);
}

TEST(RandomNumber, UsesAllItsBits) {
  std::uint64_t ever_set = 0, always_set = ~std::uint64_t{0};
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random_u64();
    EXPECT_NE(value, 0U);
    ever_set |= value;
    always_set &= value;
  }
  EXPECT_EQ(ever_set, ~std::uint64_t{0});
  EXPECT_EQ(always_set, 0U);
}

}  // namespace
}  // namespace fetchline
