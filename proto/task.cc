#include "proto/task.h"

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

}  // namespace fetchline
