// The lines that the records of an output emit, read back record by record. Owned by the thread of
// NextStage; who writes the file may go on meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/file_descriptor.h"
#include "proto/ids.h"
#include "proto/record_line.h"

namespace fetchline {

// Where records stand.
struct RecordFile {
  FileDescriptor file;
  std::string name;  // for messages
};

class EmittedLines {
 public:
  explicit EmittedLines(RecordFile file) : file_(std::move(file)) {}

  // Of the next record, which is whole. A line too long to be a task is cut (kMaxLineBytesOnWire).
  // Throws OutputError, DamagedError; ResumeMismatch when the record does not say what it emits.
  [[nodiscard]] std::vector<std::string> next();
  void rewind();  // the first record is the next one

 private:
  [[nodiscard]] std::string_view next_line();
  void read_block();

  RecordFile file_;
  RecordReader reader_;
  std::string bytes_;      // of the file, from offset_ on
  std::size_t begin_ = 0;  // in it, of the next record
  std::uint64_t offset_ = 0;
  Index index_ = 0;
};

}  // namespace fetchline
