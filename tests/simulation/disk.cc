#include "tests/simulation/disk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "proto/task_hash.h"

namespace fetchline {

// Hashes first, as the collector's loop does it.
void Disk::flush(Fuse& fuse) {
  for (Index index = hashes_.size(); index < output_.size(); ++index) {
    hashes_.push_back(output_[index].task_hash);
  }
  fuse.step();
  flushed_ = output_.size();
  if (!power_) synced_ = flushed_;
}

std::vector<std::uint64_t> Disk::hashes(Index first, std::size_t count) const {
  const std::size_t begin = std::min<std::size_t>(first, hashes_.size());
  const std::size_t end = std::min(begin + count, hashes_.size());
  return {hashes_.begin() + static_cast<std::ptrdiff_t>(begin),
          hashes_.begin() + static_cast<std::ptrdiff_t>(end)};
}

Disk::Segment& Disk::end_segment() {
  if (segment_open_) {
    Segment& last = segments_.at(last_number_);
    const bool has_uncommitted = last.committed < last.entries.size();
    if (has_uncommitted || last.entries.size() < most_entries_) return last;
  }
  segment_open_ = true;
  Segment& fresh = segments_[++last_number_];
  if (control_) fresh.entries.push_back({control_, {}});
  return fresh;
}

JournalPlace Disk::append(const Result& result) {
  Segment& segment = end_segment();
  segment.end = std::max(segment.end, result.index + 1);
  segment.entries.push_back({{}, result});
  const auto length = static_cast<std::uint32_t>(result.memory_bytes());
  return {segment.entries.size() - 1, last_number_, length};
}

void Disk::append(const JobControl& control) {
  control_ = control;
  end_segment().entries.push_back({control, {}});
}

void Disk::commit() {
  if (!segment_open_) return;
  Segment& last = segments_.at(last_number_);
  if (last.committed == last.entries.size()) return;
  last.committed = last.entries.size();
  control_number_ = last_number_;
  for (const Entry& entry : last.entries) {
    if (entry.control) safe_control_ = entry.control;
  }
}

Result Disk::read(const JournalPlace& place) const {
  const auto at = segments_.find(place.segment);
  if (at == segments_.end()) {
    ADD_FAILURE() << "a segment was dropped too early";
    return {};
  }
  EXPECT_LT(place.offset, at->second.committed) << "read before it was committed";
  return at->second.entries.at(place.offset).result;
}

bool Disk::drop_below(Index watermark) {
  const auto dropped = std::erase_if(segments_, [&](const auto& entry) {
    return entry.first < control_number_ && entry.second.end <= watermark;
  });
  return dropped > 0;
}

void Disk::finish(const JobId& job) {
  EXPECT_EQ(flushed_, output_.size());
  synced_ = flushed_;
  finished_ = job;
}

bool Disk::is_safe(Index index) const {
  if (index < synced_) return true;
  return std::any_of(segments_.begin(), segments_.end(), [&](const auto& at) {
    const auto end = at.second.entries.begin() + static_cast<std::ptrdiff_t>(at.second.committed);
    return index < at.second.end &&
           std::any_of(at.second.entries.begin(), end, [&](const Entry& entry) {
             return !entry.control && entry.result.index == index;
           });
  });
}

void Disk::crash(const std::function<std::size_t(std::size_t most)>& draw) {
  const std::size_t under_way = hashes_.size() - synced_;  // no record is safe before its hash
  output_.resize(synced_ + draw(under_way));
  flushed_ = synced_ = output_.size();
  hashes_.resize(output_.size());
  for (auto& [number, segment] : segments_) {
    const std::size_t torn = segment.entries.size() - segment.committed;
    segment.entries.resize(segment.committed += draw(torn));
  }
  segment_open_ = false;
  control_number_ = 0;
  control_.reset();
  for (const auto& [number, segment] : segments_) {
    for (const Entry& entry : segment.entries) {
      if (entry.control) control_ = entry.control;
    }
  }
  safe_control_ = control_;
}

std::optional<CollectorCore::Recovered> Disk::recovered() const {
  if (!finished_ && !control_) return std::nullopt;
  CollectorCore::Recovered found;
  found.watermark = output_.size();
  for (const Result& result : output_) ++found.counts[static_cast<std::size_t>(result.outcome)];
  if (finished_) {
    found.control.job = *finished_;
    found.control.total = output_.size();
    found.chain = chain();
  } else {
    found.control = *control_;
  }
  return found;
}

std::uint64_t Disk::chain() const {
  std::uint64_t chain = 0;
  for (const Result& result : output_) chain = chained_hash(chain, result.task_hash);
  return chain;
}

std::vector<Disk::Kept> Disk::kept() const {
  std::vector<Kept> all;
  for (const auto& [number, segment] : segments_) {
    for (std::size_t i = 0; i < segment.entries.size(); ++i) {
      const Entry& entry = segment.entries[i];
      if (entry.control) continue;
      const auto length = static_cast<std::uint32_t>(entry.result.memory_bytes());
      all.push_back({entry.result, {i, number, length}});
    }
  }
  return all;
}

}  // namespace fetchline
