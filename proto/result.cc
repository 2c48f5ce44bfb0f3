#include "proto/result.h"

#include <numeric>

namespace fetchline {

std::string_view to_string(Outcome outcome) {
  constexpr std::array<std::string_view, kOutcomeCount> kNames = {"ok",
                                                                  "http_error",
                                                                  "timeout",
                                                                  "dns_error",
                                                                  "connect_error",
                                                                  "tls_error",
                                                                  "reset",
                                                                  "too_large",
                                                                  "too_many_redirects",
                                                                  "blocked",
                                                                  "unsupported_encoding",
                                                                  "invalid_task",
                                                                  "abandoned",
                                                                  "cancelled"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::uint64_t total_of(const OutcomeCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t ok_of(const OutcomeCounts& counts) {
  return counts[static_cast<std::size_t>(Outcome::ok)];
}

std::size_t Result::memory_bytes() const {
  return sizeof(Result) + errormsg.size() + id.size() + url.size() + url_effective.size() +
         content_type.size() + worker.size() + header_block.size() + meta.size() + output.size() +
         body.size() + (emit ? emit->lines.size() + emit->error.size() : 0);
}

}  // namespace fetchline
