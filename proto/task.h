// A task: what one input line asks for, as the producer hands it to a worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.h"

namespace fetchline {

struct Task {
  Index index = 0;
  std::uint32_t attempt = 1;         // which attempt this is, from 1
  std::uint64_t hash = 0;            // of what the input says; its result carries it. 0: none
  bool may_retry = false;            // a transient failure goes back to the producer instead of out
  std::string url;                   // http or https, checked by the task parser
  std::string id;                    // the user's own, may be empty
  std::string method;                // empty: the job's
  std::vector<std::string> headers;  // "Name: value", beside the job's
  std::optional<std::string> body;   // absent: the job's
  std::vector<std::string> race;     // all at once, the first ok answer wins
  std::vector<std::string> failover;      // one after the other until one is ok
  std::chrono::milliseconds max_time{0};  // for this attempt; 0: the job's
  std::string output;                     // name asked for by the user, for --format files
  std::string meta;                       // JSON text, passed through; empty: none

  [[nodiscard]] std::size_t memory_bytes() const;  // roughly what it occupies
};

// What holds for every task of a job unless the task says otherwise. Set by the producer's flags,
// sent to each worker once a session. A worker's own flags are ceilings on these.
struct JobSettings {
  enum class HttpVersion : std::uint8_t { any = 0, http1_1 = 1, http2 = 2 };  // on the wire
  struct CodeRange {
    std::uint16_t first = 200, last = 299;
    bool operator==(const CodeRange&) const = default;
  };

  std::string method;                // empty: GET, or POST when there is a body
  std::vector<std::string> headers;  // "Name: value"; "Name:" removes; "Name;" sends it empty
  std::optional<std::string> body;
  std::string user_agent;     // empty: fetchline/VERSION
  std::string user_password;  // "user:password", HTTP basic; empty: none
  std::string proxy;          // empty: none, whatever the environment says
  bool follow_location = true;
  std::uint32_t max_redirs = 10;
  bool compressed = true;
  HttpVersion http_version = HttpVersion::any;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds max_time{60'000};  // one attempt, everything included
  std::uint64_t speed_limit = 0;               // bytes a second; 0: no limit
  std::chrono::seconds speed_time{30};         // below speed_limit for so long is a timeout
  std::uint64_t max_filesize_bytes = std::uint64_t{100} << 20;  // of the decoded body
  std::vector<CodeRange> accept;  // response codes that are `ok`; empty: 200-299
  bool retry_unsafe = false;  // repeat methods other than GET, HEAD, OPTIONS, TRACE, PUT, DELETE

  bool operator==(const JobSettings&) const = default;
};

// What it is requested with: null, there is none. Both point into the task or the job.
[[nodiscard]] const std::string* body_of(const JobSettings& job, const Task& task);
[[nodiscard]] std::string_view method_of(const JobSettings& job, const Task& task);

// GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110, 9.2.2): asking twice does no more than asking
// once. Case matters, as it does to origins.
[[nodiscard]] bool is_idempotent(std::string_view method);

// It may have had its effect once it was sent, and the user does not say that more does no harm.
[[nodiscard]] bool must_not_repeat(const JobSettings& job, const Task& task);

}  // namespace fetchline
