// What a resumed job must not change.
#include "tests/collector/stage_log_scene.h"

namespace fetchline {
namespace {

TEST_F(StageLogTest, GoesOnOnlyAsItWasBegun) {
  control_.beginning.format = "files";
  control_.beginning.output_dir = directory_.file("pages");
  leave_behind();
  const std::string text = read_file(path_);
  expect_error<ResumeMismatch>(options(),
                               "--format: can only be files, as " + path_ + " was begun");
  CollectorOptions files = options();
  files.format = OutputFormat::files;
  files.output_dir = directory_.file("others");
  expect_error<ResumeMismatch>(files, "--output-dir: can only be " + directory_.file("pages"));
  EXPECT_FALSE(std::filesystem::exists(files.output_dir));
  EXPECT_EQ(read_file(path_), text);
  std::filesystem::create_directory(directory_.file("pages"));
  files.output_dir = directory_.file("pages/../pages/");
  EXPECT_EQ(check_existing_output(files), ExistingOutput::begun);
}

TEST_F(StageLogTest, EmitsTheSameFromBeginningToEnd) {
  control_.beginning.format = "ndjson";
  control_.beginning.emit = "json:/items";
  leave_behind();
  expect_error<ResumeMismatch>(options(),
                               "--emit: can only be json:/items, as " + path_ + " was begun");
  CollectorOptions emits = options();
  emits.emit = {.kind = EmitRule::Kind::json, .argument = "/others"};
  expect_error<ResumeMismatch>(emits, "--emit: can only be json:/items");
  emits.emit->argument = "/items";
  EXPECT_EQ(check_existing_output(emits), ExistingOutput::begun);
}

TEST_F(StageLogTest, EmitsNothingWhenItWasBegunSo) {
  control_.beginning.format = "ndjson";
  leave_behind();
  CollectorOptions emits = options();
  emits.emit.emplace();
  expect_error<ResumeMismatch>(emits, "--emit: " + path_ + " was begun without it");
  EXPECT_EQ(check_existing_output(options()), ExistingOutput::begun);
}

TEST_F(StageLogTest, IsDoneOnlyAsItWasBegun) {
  leave_behind();
  sha256_ = sha256_of(read_file(path_));
  finish(std::filesystem::file_size(path_));
  CollectorOptions files = options();
  files.format = OutputFormat::files;
  files.output_dir = directory_.file("pages");
  expect_error<ResumeMismatch>(files, "--format: can only be ndjson");
  EXPECT_FALSE(std::filesystem::exists(files.output_dir));
  EXPECT_EQ(check_existing_output(options()), ExistingOutput::complete);
}

}  // namespace
}  // namespace fetchline
