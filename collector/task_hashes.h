// The hash of every task whose result is out, by index, 8 bytes each, in a file: what a producer
// that resumes is compared with. Owned and called by the collector's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/append_file.h"
#include "proto/ids.h"

namespace fetchline {

class TaskHashes {
 public:
  // Of a job whose records up to `count` are out: what is beyond is forgotten, what lacks is
  // unknown (0). Throws OutputError, as flush() and read() do.
  TaskHashes(std::string path, Index count);

  void append(std::uint64_t hash);
  void flush() { file_.flush(); }
  [[nodiscard]] std::vector<std::uint64_t> read(Index first, std::size_t count) const;  // flushed
  // Of all of them (proto/task_hash.h), flushed; empty when one is not known.
  [[nodiscard]] std::optional<std::uint64_t> chain() const;

 private:
  AppendFile file_;
};

}  // namespace fetchline
