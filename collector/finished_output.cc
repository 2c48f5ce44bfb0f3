#include "collector/finished_output.h"

#include "proto/task_hash.h"

namespace fetchline {

std::vector<std::uint64_t> FinishedOutput::hashes_for(const Recap& recap) {
  std::vector<std::uint64_t> hashes(recap.hashes.size(), 0);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (recap.first + i != next_ || !std::getline(file_, line_)) continue;
    ++next_;
    const auto record = reader_.read(line_);
    if (record && is_plain(recap.hashes[i])) hashes[i] = plain_task_hash(record->url);
  }
  return hashes;
}

}  // namespace fetchline
