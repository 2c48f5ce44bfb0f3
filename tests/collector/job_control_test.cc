#include "collector/job_control.h"

#include <gtest/gtest.h>

#include "tests/proto/frames.h"

namespace fetchline {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

const JobControl kControl{
    .job = job_number(7),
    .log = kMost,
    .epochs = {{0, Epoch{1}}, {kMost, Epoch{~std::uint32_t{0}}}},
    .total = kMaxIndex,
    .begun_below = 5,
    .begun_before = 4,
    .beginning = {.format = "files",
                  .output_dir = "caf\u00e9",
                  .emit = "json:/items",
                  .body = false,
                  .headers = true,
                  .started_at = std::chrono::milliseconds(1'767'225'600'123)}};

TEST(JobControl, ReadsBackWhatWasWritten) {
  EXPECT_EQ(job_control_of(to_json(kControl)), kControl);
  JobControl small;
  small.job = job_number(1);
  EXPECT_EQ(job_control_of(to_json(small)), small);
  EXPECT_EQ(small.beginning, Beginning{});
}

TEST(JobControl, IsALineThatPeopleCanRead) {
  JobControl control{.job = job_number(1), .log = 5, .epochs = {{77, Epoch{2}}}};
  EXPECT_EQ(to_json(control), R"({"job":")" + to_string(control.job) +
                                  R"(","log":5,"epochs":[[77,2]]})"
                                  "\n");
  control.total = 9;
  EXPECT_NE(to_json(control).find(R"("total":9)"), std::string::npos);
}

TEST(JobControl, IsNoneWhenItIsNotWhole) {
  const std::string text = to_json(kControl);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_EQ(job_control_of(text.substr(0, size)), std::nullopt) << size;
  }
}

TEST(JobControl, IsNoneWhenItIsOfNoJobOrOfAnotherShape) {
  EXPECT_EQ(job_control_of(to_json(JobControl{})), std::nullopt);
  for (const char* text : {"null", "[]", R"({"job":1})", R"({"job":"x","log":1,"epochs":[]})"}) {
    EXPECT_EQ(job_control_of(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fetchline
