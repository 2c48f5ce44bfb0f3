#include "producer/repetition.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fetchline {
namespace {

std::string_view method_of(const JobSettings& job, const Task& task, bool has_body) {
  if (!task.method.empty()) return task.method;
  if (!job.method.empty()) return job.method;
  return has_body ? "POST" : "GET";
}

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET",   "HEAD", "OPTIONS",
                                                           "TRACE", "PUT",  "DELETE"};
  return std::find(kIdempotent.begin(), kIdempotent.end(), method) != kIdempotent.end();
}

}  // namespace

Repetition repetition_of(const JobSettings& job, const Task& task) {
  const bool has_body = task.body.has_value() || job.body.has_value();
  const std::string_view method = method_of(job, task, has_body);
  if (!has_body && (method == "GET" || method == "HEAD")) return Repetition::any_time;
  return is_idempotent(method) || job.retry_unsafe ? Repetition::when_lost : Repetition::never;
}

}  // namespace fetchline
