// What a transfer's end means: libcurl's codes, the origin's answer and our own stops become an
// Outcome, and a yes or no to "would another attempt do better?". Pure; any thread; never throws.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proto/result.h"
#include "proto/task.h"

namespace fetchline {

// Why we ended a transfer that libcurl would have carried on with.
enum class StopReason : std::uint8_t {
  none,
  body_cap,        // decoded body beyond JobSettings::max_filesize_bytes
  bomb,            // see kMaxBombRatio
  header_lines,    // see kMaxHeaderLines
  header_bytes,    // see kMaxHeaderBytes
  interim_cap,     // see kMaxInterimResponses
  unclear_length,  // Content-Length is no number, or several
  unknown_coding,  // a coding that we did not ask for, or several
  broken_coding,   // the body is not what Content-Encoding says
  cut_short,       // headers break off, or a coded body does
  no_goodbye,      // the connection's end is the body's, and anybody may have caused it
  would_repeat,    // libcurl was about to repeat a request that is not safe to repeat
  blocked,         // by --allow-net, see Hops; why is not known here
  cancelled,
};

struct TransferEnd {
  CURLcode code = CURLE_OK;
  StopReason stopped = StopReason::none;
  long response_code = 0;     // of the last response, 0: none
  bool request_sent = false;  // at least a byte of a request went out
};

[[nodiscard]] Outcome outcome_of(const TransferEnd& end,
                                 const std::vector<JobSettings::CodeRange>& accept);

// The code and text that a record shows: libcurl's own, unless we stopped the transfer; then the
// code that curl's command line would end with, and what the cap was. Empty: libcurl's text.
[[nodiscard]] CURLcode exit_code_of(const TransferEnd& end);
[[nodiscard]] std::string_view message_of(StopReason stopped);

// The failure may pass by itself: timeouts, name and connection failures, lost connections and
// answers 408, 429, 500, 502, 503, 504.
[[nodiscard]] bool is_transient(Outcome outcome, long response_code);

// Asking again cannot do at the origin what was asked for once.
[[nodiscard]] bool may_repeat(std::string_view method, bool request_sent, bool retry_unsafe);

// Longest Retry-After we believe; also what keeps the arithmetic safe.
inline constexpr std::chrono::hours kMaxRetryAfter{24};

// The value of a Retry-After header, seconds or an HTTP-date, as a wait from `now`: 0 for a date
// that has passed, at most kMaxRetryAfter. Empty when it is neither.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now);

}  // namespace fetchline
