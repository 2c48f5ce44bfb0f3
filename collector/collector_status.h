// How a collector stands, as it tells whoever watches: a value, made by the collector's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.h"
#include "proto/result.h"

namespace fetchline {

struct CollectorStatus {
  std::string_view phase = "waiting";  // then collecting, complete, done
  JobId job;
  Index records = 0;  // put out: every index below
  std::optional<std::uint64_t> total;
  struct Head {  // what all others wait for; of a stream of tasks it may not have been read yet
    Index index = 0;
    std::chrono::nanoseconds age{0};  // for how long it is the head
    bool is_here = false;             // its result

    bool operator==(const Head&) const = default;
  };
  std::optional<Head> head;  // while the job is not complete
  OutcomeCounts outcomes{};
  std::uint64_t body_bytes = 0;  // put out by this process
  std::uint64_t waiting = 0;     // results that wait for their turn
  Index window_end = 0;          // the highest of them, and one more
  Index window = 0;
  std::uint64_t waiting_bytes = 0;  // of them, in memory
  std::uint64_t memory_bytes = 0;   // what may be
  std::uint64_t spill_bytes = 0;    // of them, in the journal
  std::uint64_t spill_limit_bytes = 0;
  std::uint64_t journal_bytes = 0;  // on disk, with what is out already
  bool disk_full = false;
  bool reader_slow = false;  // whoever reads the output takes no more just now
  std::size_t senders = 0;   // workers that have sent results
  std::uint64_t dropped_messages = 0;
  std::uint64_t refused_connections = 0;  // of those without a key of their role
  struct NextStage {
    Index wanted_record = 0;  // every record before it is taken
    std::uint64_t lines = 0;  // that it has
    std::optional<std::uint64_t> total;
    bool over = false;     // it needs no more
    bool is_busy = false;  // with another sender
  };
  std::optional<NextStage> next_stage;  // with --next
  std::vector<std::string> missing;     // peers without whom nothing goes on
};

}  // namespace fetchline
