// A result: everything known about one task once it is decided. It becomes the output record.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/emitted.h"
#include "proto/ids.h"

namespace fetchline {

// How a task ended. The names are the record's; the numbers are the wire's and never change.
enum class Outcome : std::uint8_t {
  ok = 0,
  http_error = 1,
  timeout = 2,
  dns_error = 3,
  connect_error = 4,
  tls_error = 5,
  reset = 6,
  too_large = 7,
  too_many_redirects = 8,
  blocked = 9,
  unsupported_encoding = 10,
  invalid_task = 11,
  abandoned = 12,
  cancelled = 13,
};
inline constexpr std::size_t kOutcomeCount = 14;
[[nodiscard]] std::string_view to_string(Outcome outcome);

// Tasks by outcome, indexed by the outcome's number.
using OutcomeCounts = std::array<std::uint64_t, kOutcomeCount>;
[[nodiscard]] std::uint64_t total_of(const OutcomeCounts& counts);
[[nodiscard]] std::uint64_t ok_of(const OutcomeCounts& counts);

struct Result {
  Index index = 0;
  std::uint64_t task_hash = 0;  // Task::hash of what it is the result of
  std::uint32_t attempts = 0;   // requests made for this task, 0 when none was
  Outcome outcome = Outcome::cancelled;
  std::int32_t response_code = 0;  // 0: no response
  std::int32_t exitcode = 0;       // libcurl's CURLcode
  std::string errormsg;
  std::string id;             // as in the task
  std::string url;            // as in the task
  std::string url_effective;  // empty: same as url
  std::string method;
  std::string http_version;  // "1.0", "1.1", "2", empty when no response
  std::string content_type;
  std::string remote_ip;
  std::uint32_t num_redirects = 0;
  std::uint64_t size_download = 0;  // bytes on the wire, as libcurl counts them
  // Microseconds from the attempt's start, as libcurl's CURLINFO_*_TIME_T.
  std::chrono::microseconds time_namelookup{0}, time_connect{0}, time_appconnect{0},
      time_starttransfer{0}, time_total{0};
  std::chrono::milliseconds fetched_at{0};  // since the Unix epoch, when the attempt ended
  std::string worker;                       // "host:pid"
  std::string header_block;  // the final response's header lines, CRLF each, status line left out
  std::string meta;          // JSON text, as in the task
  std::string output;        // as in the task
  std::string body;          // decoded
  // What goes on to the next stage; a worker sets it when it was told to find that out. Empty: it
  // was not found out.
  std::optional<Emitted> emit;

  [[nodiscard]] std::size_t memory_bytes() const;  // roughly what it occupies
};

}  // namespace fetchline
