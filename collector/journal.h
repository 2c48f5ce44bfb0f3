// The collector's journal: results that are not out yet and the facts about their job, on disk.
// decisions/0005 says why there is one and what it is not for.
//
// A directory of segments, each a file of entries (journal_format.h) that starts with the control
// of the job, so that any segment may go when all its results are out.
//
// Owned and called by the collector's loop thread; all of it but append() blocks on the disk.
// OutputError: what cannot be written; when the disk was full commit() is called again later, and
// until it returns nothing of it is acknowledged. DamagedError: what cannot be read back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/append_file.h"
#include "collector/damaged.h"
#include "collector/job_control.h"
#include "collector/journal_format.h"
#include "proto/result.h"

namespace fetchline {

class Journal {
 public:
  enum class Durability : std::uint8_t {
    process,  // committed survives the death of any process
    power,    // and the loss of power
  };
  static constexpr std::uint64_t kSegmentBytes = std::uint64_t{64} << 20;

  struct Kept {
    Index index = 0;
    std::uint64_t task_hash = 0;
    JournalPlace place;
  };
  struct Recovered {
    std::optional<JobControl> control;  // empty: there was nothing
    std::vector<Kept> results;          // in the order of writing; an index may be there twice
    std::uint64_t cut_bytes = 0;        // a torn tail that was cut off
  };

  // Makes the directory if it is not there. A segment is closed at about `segment_bytes`.
  Journal(std::string directory, Durability durability,
          std::uint64_t segment_bytes = kSegmentBytes);

  // What an earlier process left behind, as safe now as if it had been committed; asked for once,
  // before anything is appended. No result is of `end` or beyond.
  [[nodiscard]] Recovered recover(Index end = kMaxIndex);
  // What an earlier process wrote first, if it can be read; nothing is changed.
  [[nodiscard]] static std::optional<JobControl> first_control(const std::string& directory);

  // In memory until commit().
  JournalPlace append(const Result& result);
  void append(const JobControl& control);
  void commit();
  [[nodiscard]] bool has_uncommitted() const;

  [[nodiscard]] Result read(const JournalPlace& place) const;  // of what was committed

  void drop_below(Index watermark);  // removes segments that hold nothing else

  [[nodiscard]] std::uint64_t bytes() const;  // on disk

 private:
  struct Segment {
    AppendFile file;
    Index end = 0;             // one past the highest index in it
    bool has_control = false;  // as recovered
  };

  [[nodiscard]] std::string path_of(std::uint32_t number) const;
  void recover_segment(std::uint32_t number, bool is_last, Recovered& to);
  [[nodiscard]] std::string recover_entries(std::uint32_t number, Segment& segment, Recovered& to);
  void go_on_with_last();
  [[nodiscard]] AppendFile& end_file();
  [[nodiscard]] EntryHead head(EntryHead::Kind kind, const AppendFile& file) const;

  const std::string directory_;
  const Durability durability_;
  const std::uint64_t segment_bytes_;
  std::map<std::uint32_t, Segment> segments_;  // by number; the last one is written to
  std::uint32_t last_number_ = 0;
  bool segment_open_ = false;          // the last one is ours to append to
  std::uint64_t committed_bytes_ = 0;  // of it
  std::uint32_t control_number_ = 0;   // the newest one of ours with a control that is committed
  bool directory_changed_ = false;
  JobControl control_;  // as appended last: what a new segment starts with
};

}  // namespace fetchline
