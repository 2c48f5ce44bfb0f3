// What a collector is told: one value a flag.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collector/journal.h"
#include "proto/emit_rule.h"
#include "proto/ids.h"
#include "proto/key_files.h"
#include "proto/record_json.h"

namespace fetchline {

enum class OutputFormat : std::uint8_t { ndjson, files };
[[nodiscard]] constexpr std::string_view to_string(OutputFormat format) {
  return format == OutputFormat::files ? "files" : "ndjson";
}

struct CollectorOptions {
  std::string bind = "tcp://127.0.0.1:5556";
  KeyFiles keys;
  std::string output = "-";  // file, or "-" for stdout
  bool overwrite = false;    // otherwise a file that exists is refused,
  bool resume = false;       // or gone on with; at most one of the two
  OutputFormat format = OutputFormat::ndjson;
  std::string output_dir;  // of the bodies, for `files` only
  RecordOptions record;
  std::optional<EmitRule> emit;  // what goes on to the next stage
  Journal::Durability durability = Journal::Durability::process;
  Index window = kDefaultWindow;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;      // of results that wait for their turn
  std::uint64_t spill_limit_bytes = std::uint64_t{10} << 30;  // of them in the journal
  std::chrono::milliseconds drain_timeout{25'000};            // for a slow reader, when stopped
  std::chrono::milliseconds peer_timeout{600'000};            // 0: wait for ever
  std::string next;  // the next stage's producer; empty: there is none
  std::chrono::milliseconds next_timeout{600'000};  // for it; 0: wait for ever
};

}  // namespace fetchline
