#include "proto/task.h"

#include <algorithm>
#include <array>

namespace fetchline {
namespace {

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof text + text.size();
  return bytes;
}

}  // namespace

std::size_t Task::memory_bytes() const {
  return sizeof(Task) + url.size() + id.size() + method.size() + bytes_of(headers) +
         (body ? body->size() : 0) + bytes_of(race) + bytes_of(failover) + output.size() +
         meta.size();
}

const std::string* body_of(const JobSettings& job, const Task& task) {
  if (task.body) return &*task.body;
  return job.body ? &*job.body : nullptr;
}

std::string_view method_of(const JobSettings& job, const Task& task) {
  if (!task.method.empty()) return task.method;
  if (!job.method.empty()) return job.method;
  return body_of(job, task) != nullptr ? "POST" : "GET";
}

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET",   "HEAD", "OPTIONS",
                                                           "TRACE", "PUT",  "DELETE"};
  return std::find(kIdempotent.begin(), kIdempotent.end(), method) != kIdempotent.end();
}

bool must_not_repeat(const JobSettings& job, const Task& task) {
  return !job.retry_unsafe && !is_idempotent(method_of(job, task));
}

}  // namespace fetchline
