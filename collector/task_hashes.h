// The hash of every task whose result is out, by index, in a file: what a producer that resumes is
// compared with. Owned and called by the collector's loop thread.
//
// 16 bytes a task: its hash, and the chained hash (proto/task_hash.h) of all tasks up to it, which
// no entry that was changed, moved or lost leaves as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/append_file.h"
#include "proto/ids.h"

namespace fetchline {

class TaskHashes {
 public:
  // Of a job whose records up to `count` are out: what is beyond is forgotten. Hashes are written
  // before records, so one that lacks or is not what was written is damage. Throws DamagedError,
  // and OutputError as all but append() and chain() do.
  TaskHashes(std::string path, Index count);

  void append(std::uint64_t hash);  // 0: not known
  [[nodiscard]] bool has_pending() const { return file_.pending_bytes() > 0; }
  void flush() { file_.flush(); }
  void sync() { file_.sync(); }
  [[nodiscard]] std::vector<std::uint64_t> read(Index first, std::size_t count) const;  // flushed
  [[nodiscard]] std::optional<std::uint64_t> chain() const;  // of all; empty: one is not known

 private:
  void recover(Index count);
  void add(std::uint64_t hash);

  AppendFile file_;
  std::uint64_t chain_ = 0;
  bool all_known_ = true;
};

}  // namespace fetchline
