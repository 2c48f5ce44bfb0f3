#include "deploy/process/log.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "deploy/process/timestamp.h"

namespace fetchline {
namespace {

std::string logged(LogOptions options) {
  options.program = "fetchline-worker";
  setup_log(options);
  testing::internal::CaptureStderr();
  spdlog::debug("four");
  spdlog::info("three");
  spdlog::warn("two\n\x1b[31m");
  spdlog::error("one \"quoted\"");
  return testing::internal::GetCapturedStderr();
}

TEST(Log, IsOnePlainLineAMessage) {
  EXPECT_EQ(logged({}),
            "fetchline-worker: three\n"
            "fetchline-worker: warning: two\\n\\x1b[31m\n"
            "fetchline-worker: error: one \"quoted\"\n");
}

TEST(Log, SaysMoreWhenVerbose) {
  EXPECT_TRUE(logged({.verbose = true}).starts_with("fetchline-worker: debug: four\n"));
}

TEST(Log, SaysOnlyErrorsWhenQuiet) {
  EXPECT_EQ(logged({.quiet = true, .verbose = true}), "fetchline-worker: error: one \"quoted\"\n");
}

TEST(Log, IsOneJsonObjectALine) {
  const std::string log = logged({.json = true});
  EXPECT_TRUE(log.starts_with("{\"ts\":\"20")) << log;
  EXPECT_NE(log.find("\"level\":\"warning\",\"program\":\"fetchline-worker\","
                     "\"msg\":\"two\\u000a\\u001b[31m\"}\n"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("\"msg\":\"one \\\"quoted\\\"\"}\n"), std::string::npos) << log;
}

TEST(Timestamp, IsUtcWithMilliseconds) {
  const std::chrono::system_clock::time_point time(std::chrono::milliseconds(1'767'225'600'007));
  EXPECT_EQ(timestamp(time), "2026-01-01T00:00:00.007Z");
}

}  // namespace
}  // namespace fetchline
