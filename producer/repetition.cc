#include "producer/repetition.h"

namespace fetchline {

Repetition repetition_of(const JobSettings& job, const Task& task) {
  const bool has_body = body_of(job, task) != nullptr;
  const std::string_view method = method_of(job, task);
  if (!has_body && (method == "GET" || method == "HEAD")) return Repetition::any_time;
  return must_not_repeat(job, task) ? Repetition::never : Repetition::when_lost;
}

}  // namespace fetchline
