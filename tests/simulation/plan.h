// What one simulated run is made of, drawn from its seed: the same seed is the same run.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "proto/ids.h"

namespace fetchline {

struct Plan {
  explicit Plan(std::uint64_t seed);

  std::uint64_t seed;
  Index tasks;
  std::uint32_t workers;  // at the start
  std::uint32_t slots;    // of each
  Index window;
  std::size_t memory_bytes;  // of the collector
  std::size_t held_bytes;    // of a worker
  std::size_t body_bytes;    // the largest
  std::uint32_t retries;
  double lost, repeated, late;  // share of messages
  double transient_failure;     // share of attempts
  double faulty_line;           // share of input lines
  double blocked_send;          // share of result messages that the socket does not take
  double trickle;               // share of input lines that come later than the one before
  double unsafe;                // share of tasks that must not be requested twice
  std::set<Index> poison;       // tasks that kill whoever runs them
  int restarts;                 // of the producer; the one before may linger
  double other_input;           // share of those with another input
  int faults;                   // workers killed, drained or added, links renewed

  // Of the collector:
  std::uint64_t journal_limit_bytes;  // 0: it has no journal, and does not die
  std::size_t segment_entries;        // of the journal
  bool power;                         // --durability power, and its crashes are losses of power
  int crashes;
  int dies_at_end;     // so many steps after all is out; 0: not there
  double slow_output;  // share of turns in which nothing can be put out
  double full_disk;    // share of writes that find no room
};

// What task `index` is, whoever hands it out, and what it is fetched as.
[[nodiscard]] std::string url_of(Index index);
[[nodiscard]] std::uint64_t hash_of(const Plan& plan, Index index);
[[nodiscard]] std::string body_of(const Plan& plan, Index index);
[[nodiscard]] bool is_faulty(const Plan& plan, Index index);
[[nodiscard]] bool is_unsafe(const Plan& plan, Index index);

}  // namespace fetchline
