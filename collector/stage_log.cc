#include "collector/stage_log.h"

#include <spdlog/spdlog.h>

#include <filesystem>

#include "collector/ndjson_sink.h"

namespace fetchline {
namespace {

OutputFile::Existing existing(const CollectorOptions& options) {
  if (options.resume) return OutputFile::Existing::resume;
  return options.overwrite ? OutputFile::Existing::overwrite : OutputFile::Existing::refuse;
}

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() !=
         std::filesystem::file_type::not_found;
}

void remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) throw OutputError(path, error.value());
}

// Segments are all open at once: not too many of them, whatever the limit.
std::uint64_t segment_bytes(const CollectorOptions& options) {
  constexpr std::uint64_t kMostSegments = 128;
  return std::max(Journal::kSegmentBytes, options.spill_bytes / kMostSegments);
}

void check_finished(const CollectorOptions& options, const Manifest& manifest) {
  const auto size = std::filesystem::file_size(options.output);
  if (size == manifest.bytes) return;
  throw DamagedError(options.output, size,
                     "its manifest says " + std::to_string(manifest.bytes) + " bytes");
}

void open_journal(StageLog& log, const CollectorOptions& options, Index records) {
  const std::string spill = spill_path(options.output);
  log.journal.emplace(spill, options.durability, segment_bytes(options));
  Journal::Recovered found = log.journal->recover();
  if (found.cut_bytes > 0) {
    spdlog::warn("{}: {} bytes at its end were not whole and are cut", spill, found.cut_bytes);
  }
  log.hashes.emplace(spill + "/tasks", records);
  log.waiting = std::move(found.results);
  if (!found.control) return;
  log.recovered.emplace();
  log.recovered->control = *found.control;
  log.recovered->watermark = records;
}

void resume(StageLog& log, const CollectorOptions& options) {
  const std::string spill = spill_path(options.output);
  log.finished = read_manifest(manifest_path(options.output));
  if (log.finished) {
    check_finished(options, *log.finished);
    log.recovered.emplace();
    log.recovered->control.job = log.finished->job;
    log.recovered->watermark = log.finished->count;
    log.recovered->counts = log.finished->outcomes;
    return remove_tree(spill);
  }
  const bool had_journal = exists(spill);
  const ResultSink::Recovered out = log.sink->recover();
  if (out.records > 0 && !had_journal) {
    throw OutputError(options.output, EEXIST, " (without " + spill + " it cannot be resumed)");
  }
  open_journal(log, options, out.records);
  if (log.recovered) {
    log.recovered->counts = out.counts;
    spdlog::info("{}: goes on behind {} records", options.output, out.records);
  } else if (out.records > 0) {
    throw DamagedError(spill, 0, "it does not say which job it is of");
  }
}

}  // namespace

std::string spill_path(const std::string& output_path) { return output_path + ".spill"; }

StageLog open_stage_log(const CollectorOptions& options) {
  const std::string spill = spill_path(options.output);
  const bool is_file = options.output != "-" && (!exists(options.output) ||
                                                 std::filesystem::is_regular_file(options.output));
  if (is_file && !options.resume && !options.overwrite && exists(spill)) {
    throw OutputError(spill, EEXIST, " (--resume goes on with it, --overwrite starts anew)");
  }
  StageLog log;
  log.sink = std::make_unique<NdjsonSink>(options.output, existing(options), options.record);
  if (!is_file) return log;
  if (options.resume) {
    resume(log, options);
  } else {
    remove_tree(spill);
    open_journal(log, options, 0);
  }
  return log;
}

void StageLog::remove_journal() {
  if (!journal) return;
  hashes->remove();
  journal->remove();
  hashes.reset();
  journal.reset();
}

}  // namespace fetchline
