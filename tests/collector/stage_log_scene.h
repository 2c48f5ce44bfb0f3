// What the tests of the stage's log share: an output with its journal, left behind by a collector.
#pragma once

#include <gtest/gtest.h>

#include "collector/existing_output.h"
#include "collector/sha256.h"
#include "collector/stage_log.h"
#include "tests/collector/temporary_directory.h"
#include "tests/proto/frames.h"

namespace fetchline {

using Indices = std::vector<Index>;

class StageLogTest : public testing::Test {
 protected:
  CollectorOptions options(bool resume = true, bool overwrite = false) {
    CollectorOptions made;
    made.output = path_;
    made.resume = resume;
    made.overwrite = overwrite;
    return made;
  }
  StageLog resumed() { return open_stage_log(options()); }

  static Result result(Index index) {
    Result made;
    made.index = index;
    made.task_hash = 100 + index;
    made.outcome = index == 1 ? Outcome::timeout : Outcome::ok;
    made.body = "body of " + std::to_string(index);
    return made;
  }
  // As a collector leaves it that is killed: records 0 to 2 are out, 4 and 6 wait.
  void leave_behind(bool with_control = true) {
    StageLog log = open_stage_log(options(false, true));
    if (with_control) log.journal->append(control_);
    for (const Index index : {4, 6}) (void)log.journal->append(result(index));
    log.journal->commit();
    for (const Index index : {0, 1, 2}) {
      log.hashes->append(result(index).task_hash);
      log.sink->write(result(index));
    }
    log.hashes->flush();
    log.sink->flush();
  }
  static Indices waiting(const StageLog& log) {
    Indices indices;
    for (const auto& kept : log.waiting) indices.push_back(kept.index);
    return indices;
  }
  template <class Error>
  static void expect_error(const CollectorOptions& options, const std::string& what) {
    try {
      (void)open_stage_log(options);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }
  void expect_damaged(const std::string& what) { expect_error<DamagedError>(options(), what); }
  void finish(std::uint64_t bytes, std::uint64_t count = 3) {
    Manifest manifest;
    manifest.format = "ndjson";
    manifest.sha256 = sha256_;
    manifest.job = control_.job;
    manifest.count = count;
    manifest.outcomes[0] = count;
    manifest.bytes = bytes;
    write_manifest(manifest_path(path_), manifest);
  }

  static std::string sha256_of(const std::string& bytes) {
    Sha256 sum;
    sum.update(bytes);
    return sum.hex();
  }

  TemporaryDirectory directory_;
  std::string sha256_;  // for finish()
  std::string path_ = directory_.file("out.ndjson");
  std::string spill_ = path_ + ".spill";
  std::string segment_ = spill_ + "/segment-00000001";
  JobControl control_{.job = job_number(4), .log = 8, .epochs = {{7, Epoch{3}}}};
};

}  // namespace fetchline
