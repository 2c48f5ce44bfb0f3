#include "collector/stage_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "collector/existing_output.h"
#include "collector/open_sink.h"

namespace fetchline {
namespace {

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::error_code remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error;
}

// A complete output needs none. What cannot be removed is told and does no harm: a collector that
// resumes finds the manifest first.
void remove_spent(const std::string& spill) {
  if (const auto error = remove_tree(spill)) {
    spdlog::warn("{}: is of no use any more but stays: {}", spill, error.message());
  }
}

// An eighth of the limit, so that what is out is not kept for long; but segments are all open at
// once, so not too many of them, whatever the limit.
std::uint64_t segment_bytes(const CollectorOptions& options) {
  constexpr std::uint64_t kMostSegments = 128;
  const std::uint64_t limit = std::max(kLeastSpillBytes, options.spill_limit_bytes);
  return std::max(std::min(Journal::kSegmentBytes, limit / 8), limit / kMostSegments);
}

std::string sums_path(const std::string& spill) { return spill + "/sums"; }

void open_journal(StageLog& log, const CollectorOptions& options, Index records) {
  const std::string spill = spill_path(options.output);
  log.journal.emplace(spill, options.durability, segment_bytes(options));
  Journal::Recovered found = log.journal->recover(records + kMostWindow);
  if (found.cut_bytes > 0) {
    spdlog::warn("{}: {} bytes at its end were not whole and are cut", spill, found.cut_bytes);
  }
  log.hashes.emplace(spill + "/tasks", records);
  log.sums.emplace(sums_path(spill), log.sink->bytes());
  if (options.durability == Journal::Durability::power) log.hashes->sync();
  log.waiting = std::move(found.results);
  log.sink->begin(spill);
  if (!found.control) return;
  log.recovered =
      CollectorCore::Recovered{.control = *found.control, .watermark = records, .chain = {}};
}

void take_finished(StageLog& log, const CollectorOptions& options) {
  log.recovered =
      CollectorCore::Recovered{.control = {.job = log.finished->job, .total = log.finished->count},
                               .watermark = log.finished->count,
                               .counts = log.finished->outcomes,
                               .chain = log.finished->input};
  log.finished_output = std::make_unique<FinishedOutput>(options.output);
  remove_spent(spill_path(options.output));
}

void resume(StageLog& log, const CollectorOptions& options) {
  const std::string spill = spill_path(options.output);
  log.finished = read_manifest(manifest_path(options.output));
  if (log.finished) return take_finished(log, options);
  const ResultSink::Recovered out = log.sink->recover(read_output_sums(sums_path(spill)));
  if (out.cut_bytes > 0) {
    spdlog::warn("{}: {} bytes at its end were not whole and are cut", options.output,
                 out.cut_bytes);
  }
  // As safe as it is told to be: see Journal::recover().
  if (options.durability == Journal::Durability::power) log.sink->sync();
  open_journal(log, options, out.records);
  if (log.recovered) {
    log.recovered->counts = out.counts;
    spdlog::info("{}: goes on behind {} records", options.output, out.records);
  } else if (out.records > 0) {
    throw DamagedError(spill, 0, "it does not say which job it is of");
  }
}

}  // namespace

StageLog open_stage_log(const CollectorOptions& options) {
  (void)check_existing_output(options);
  const bool existed = is_there(options.output);
  StageLog log;
  log.sink = open_sink(options);
  if (options.output == "-" || !log.sink->is_file()) return log;
  if (options.resume) {
    if (!existed) remove_manifest(manifest_path(options.output));  // it vouches for nothing
    resume(log, options);
  } else {
    const std::string spill = spill_path(options.output);
    if (const auto error = remove_tree(spill)) throw OutputError(spill, error.value());
    open_journal(log, options, 0);
  }
  return log;
}

void StageLog::discard_if_empty(const std::string& output_path) {
  std::error_code error;
  if (std::filesystem::file_size(output_path, error) > 0 || error) return;
  remove_journal(output_path);
  std::filesystem::remove(output_path, error);
}

void StageLog::remove_journal(const std::string& output_path) {
  if (!journal) return;
  journal.reset();
  hashes.reset();
  sums.reset();
  remove_spent(spill_path(output_path));
}

}  // namespace fetchline
