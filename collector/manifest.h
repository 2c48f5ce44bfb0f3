// The manifest beside a complete output: what job it was, how it ended, and the output's checksum.
// It appears last and by rename, so that its presence means that the output is whole.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "collector/output_error.h"
#include "proto/result.h"

namespace fetchline {

struct Manifest {
  JobId job;
  std::uint64_t count = 0;  // records
  OutcomeCounts outcomes{};
  std::uint64_t bytes = 0;             // of the output
  std::string sha256;                  // of the output, 64 hex digits
  std::optional<std::uint64_t> input;  // chained hash of the tasks (proto/task_hash.h)
  std::string format;                  // as --format names it
  std::string output;                  // as the user wrote it
  std::string output_dir;              // as well; empty when bodies are in the output
  std::string emit;                    // as --emit says it, as UTF-8; empty: nothing goes on
  bool taken = false;                  // the next stage has finished too, and needs it no more
  std::chrono::system_clock::time_point started_at;  // of the first run, when it was resumed
  std::chrono::system_clock::time_point finished_at;
};

// "results.ndjson" has its manifest in "results.ndjson.manifest.json".
[[nodiscard]] std::string manifest_path(const std::string& output_path);

// One JSON object, indented, newline at the end. Outcomes that never happened are left out.
[[nodiscard]] std::string to_json(const Manifest& manifest);

// Writes `path` so that it is whole or not there, after power loss too: a temporary beside it,
// fdatasync, rename, fsync of the directory, which also settles the output's own name there.
// Blocks on the disk. Throws OutputError and leaves no temporary behind.
void write_manifest(const std::string& path, const Manifest& manifest);

// Says `taken` in the manifest at `path`, in the same way; once is enough. Throws OutputError,
// DamagedError.
void mark_taken(const std::string& path);

// The manifest at `path`, less `output` and the times.
// Empty when there is none. Throws DamagedError when it cannot be understood.
[[nodiscard]] std::optional<Manifest> read_manifest(const std::string& path);

// Removes `path`, durably; nothing there is fine. Throws OutputError.
void remove_manifest(const std::string& path);

}  // namespace fetchline
