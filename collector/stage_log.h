// The durable log of a stage as the collector has it open: the output, and beside a file its
// journal and the hashes of its tasks. Opened here, with what an earlier process left.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/collector_core.h"
#include "collector/collector_options.h"
#include "collector/finished_output.h"
#include "collector/journal.h"
#include "collector/manifest.h"
#include "collector/output_sums.h"
#include "collector/result_sink.h"
#include "collector/task_hashes.h"

namespace fetchline {

// Owned by the collector's loop thread.
struct StageLog {
  std::unique_ptr<ResultSink> sink;
  std::optional<Journal> journal;    // of an output that is a file
  std::optional<TaskHashes> hashes;  // with the journal
  std::optional<OutputSums> sums;    // as well

  // Of an output that is resumed, if there was something.
  std::optional<CollectorCore::Recovered> recovered;
  std::vector<Journal::Kept> waiting;               // results that stand in the journal
  std::optional<Manifest> finished;                 // the job is done; there is no journal any more
  std::unique_ptr<FinishedOutput> finished_output;  // then

  // The output is complete and has its manifest.
  void remove_journal(const std::string& output_path);
  // As if it had never been begun, if nothing of it is out.
  void discard_if_empty(const std::string& output_path);
};

// A smaller limit is taken for this one.
inline constexpr std::uint64_t kLeastSpillBytes = std::uint64_t{1} << 20;

// Throws OutputError, DamagedError, ResumeMismatch.
[[nodiscard]] StageLog open_stage_log(const CollectorOptions& options);

}  // namespace fetchline
