// Where tasks come from: URLs given as arguments first, then a file or stdin. Owned by the
// producer's loop thread. Reads only when asked, so that who does not ask stops the reading.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "producer/line_reader.h"
#include "producer/task_parser.h"

namespace fetchline {

// The input cannot be opened or read. what() names it and the reason.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class TaskSource {
 public:
  // `path`: a file, "-" for stdin, empty for none. `rule`: of records of an earlier stage that do
  // not say themselves what they emit. Throws InputError.
  TaskSource(std::vector<std::string> urls, const std::string& path, EmitRule rule = {});
  // Fed by its owner with the lines of the stage before.
  struct Fed {};
  explicit TaskSource(Fed, EmitRule rule = {});
  ~TaskSource();
  TaskSource(const TaskSource&) = delete;
  TaskSource& operator=(const TaskSource&) = delete;

  // The next task or faulty line of what was read so far; lines without a task are passed over.
  [[nodiscard]] std::optional<ParsedLine> next(Index index);

  // Reads a block if that does not block; false when there is nothing to read now. Throws
  // InputError.
  [[nodiscard]] bool read_block();
  // Of a source that is fed: after next() has no more, what comes behind; the end.
  void feed(std::string_view text);
  void finish();
  [[nodiscard]] bool ended() const { return ended_; }  // next() has no more and never will
  // How many tasks there will be, when `taken` came so far: known at the end, estimated while a
  // file is read, empty for a stream.
  [[nodiscard]] std::optional<std::uint64_t> tasks_expected(std::uint64_t taken) const;
  [[nodiscard]] int fd() const { return fd_; }  // to wait on for POLLIN; -1 when there is none

 private:
  [[nodiscard]] std::optional<Line> next_line();

  std::vector<std::string> urls_;
  std::size_t next_url_ = 0;
  std::string name_;
  bool is_fed_ = false;
  int fd_ = -1;
  bool is_regular_ = false;
  std::uint64_t file_bytes_ = 0;  // when it was opened
  std::uint64_t read_bytes_ = 0;
  bool read_to_end_ = false;
  bool ended_ = false;
  LineReader lines_;
  std::uint64_t line_number_ = 0;  // of the last
  std::string record_;             // what the record in that line emits
  std::string_view record_left_;   // of it, not taken
  std::uint64_t emitted_ = 0;      // lines of it that were taken
  TaskParser parser_;
  std::vector<char> block_;
};

}  // namespace fetchline
