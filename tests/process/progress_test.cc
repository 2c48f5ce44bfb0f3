#include "deploy/process/progress.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "deploy/process/log.h"
#include "deploy/process/status_line.h"

namespace fetchline {
namespace {

ProgressSample three_done() { return {.done = 3, .ok = 3, .total = 3}; }

std::string shown(ProgressMode mode) {
  setup_log({.program = "fetchline"});
  testing::internal::CaptureStderr();
  { const ProgressReport report(mode, three_done); }
  return testing::internal::GetCapturedStderr();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ProgressMode, AutomaticIsABarOnlyOnATerminal) {
  using enum ProgressMode;
  EXPECT_EQ(resolve_progress(automatic, true, false), bar);
  EXPECT_EQ(resolve_progress(automatic, false, false), lines);
  EXPECT_EQ(resolve_progress(automatic, true, true), none);
}

TEST(ProgressMode, WhatWasAskedForIsDoneWherePossible) {
  using enum ProgressMode;
  EXPECT_EQ(resolve_progress(bar, true, true), bar);
  EXPECT_EQ(resolve_progress(bar, false, false), lines);
  EXPECT_EQ(resolve_progress(json, true, true), json);
  EXPECT_EQ(resolve_progress(none, true, false), none);
}

TEST(ProgressReport, ShowsTheFinalStateOnceHoweverShortTheJob) {
  EXPECT_EQ(count_of(shown(ProgressMode::bar), "3 / 3  100%"), 1U);
  EXPECT_TRUE(shown(ProgressMode::bar).ends_with("\n"));
  EXPECT_EQ(count_of(shown(ProgressMode::lines), "fetchline: 3 of 3 done (100%), 0 failed"), 1U);
  EXPECT_EQ(count_of(shown(ProgressMode::json), "\"final\":true}\n"), 1U);
  EXPECT_EQ(shown(ProgressMode::none), "");
}

TEST(ProgressReport, ShowsNoFinalStateOfAJobThatWasRefused) {
  using enum ProgressMode;
  for (const ProgressMode mode : {bar, lines, json}) {
    testing::internal::CaptureStderr();
    { ProgressReport(mode, three_done).withdraw(); }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }
}

TEST(ProgressReport, DrawsWhileTheWorkGoesOn) {
  std::atomic<int> asked = 0;
  testing::internal::CaptureStderr();
  {
    const ProgressReport report(ProgressMode::bar, [&asked] {
      ++asked;
      asked.notify_one();
      return three_done();
    });
    for (int seen = asked; seen < 3; seen = asked) asked.wait(seen);  // ctest has the deadline
  }
  EXPECT_GE(count_of(testing::internal::GetCapturedStderr(), "\r"), 3U);
}

TEST(ProgressReport, TellsWhoAsksHowThingsAreNow) {
  std::atomic<std::uint64_t> done = 3;
  const ProgressReport report(ProgressMode::none, [&] {
    ProgressSample sample;
    sample.done = done;
    return sample;
  });
  EXPECT_EQ(report.now().sample.done, 3U);
  done = 5;
  EXPECT_EQ(report.now().sample.done, 5U);
  EXPECT_FALSE(report.now().final);
  while (report.now().per_second <= 0) {  // ctest has the deadline
    ++done;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(StatusLine, StaysBelowTheLogLines) {
  testing::internal::CaptureStderr();
  show_status("half");
  write_stderr("a line\n");
  end_status();
  write_stderr("after\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "\r\x1b[Khalf\r\x1b[Ka line\nhalf\nafter\n");
}

}  // namespace
}  // namespace fetchline
