// The simulated collector's disk: output, hashes of tasks, journal, manifest; and what of it
// outlives a crash. With `power` that is what was synced, otherwise what was written; of what was
// under way then, a front part may be there too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "collector/collector_core.h"
#include "tests/simulation/fuse.h"

namespace fetchline {

class Disk {
 public:
  Disk(bool power, std::size_t segment_entries) : power_(power), most_entries_(segment_entries) {}

  void write(Result result) { output_.push_back(std::move(result)); }
  void flush(Fuse& fuse);
  void sync() { synced_ = flushed_; }
  [[nodiscard]] Index flushed() const { return flushed_; }
  [[nodiscard]] const std::vector<Result>& output() const { return output_; }
  [[nodiscard]] std::vector<std::uint64_t> hashes(Index first, std::size_t count) const;

  [[nodiscard]] JournalPlace append(const Result& result);
  void append(const JobControl& control);
  void commit();
  [[nodiscard]] Result read(const JournalPlace& place) const;
  [[nodiscard]] bool drop_below(Index watermark);  // whether anything was

  void finish(const JobId& job);  // writes the manifest
  void remove_journal() { segments_.clear(); }
  [[nodiscard]] bool finished() const { return finished_.has_value(); }

  // What would be there if all died now.
  [[nodiscard]] bool is_safe(Index index) const;
  [[nodiscard]] const std::optional<JobControl>& safe_control() const { return safe_control_; }

  void crash(const std::function<std::size_t(std::size_t most)>& draw);
  // To be asked for after crash(): what is found.
  [[nodiscard]] std::optional<CollectorCore::Recovered> recovered() const;
  struct Kept {
    Result result;
    JournalPlace place;
  };
  [[nodiscard]] std::vector<Kept> kept() const;

 private:
  struct Entry {
    std::optional<JobControl> control;
    Result result;
  };
  struct Segment {
    std::vector<Entry> entries;
    std::size_t committed = 0;  // of them
    Index end = 0;
  };

  [[nodiscard]] Segment& end_segment();
  [[nodiscard]] std::uint64_t chain() const;

  const bool power_;
  const std::size_t most_entries_;
  std::vector<Result> output_;
  std::vector<std::uint64_t> hashes_;
  Index flushed_ = 0, synced_ = 0;
  std::map<std::uint32_t, Segment> segments_;
  std::uint32_t last_number_ = 0;
  bool segment_open_ = false;
  std::uint32_t control_number_ = 0;
  std::optional<JobControl> control_, safe_control_;
  std::optional<JobId> finished_;  // the manifest's
};

}  // namespace fetchline
