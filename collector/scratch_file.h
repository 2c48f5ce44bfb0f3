// A file without a name that goes when its process does: what is put out where it cannot be read
// again is kept there for the next stage. Appended to by one thread, read by another over its own
// descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "proto/file_descriptor.h"

namespace fetchline {

class ScratchFile {
 public:
  // In $TMPDIR or /tmp. Throws OutputError.
  ScratchFile();

  [[nodiscard]] std::string& tail() { return tail_; }  // to append to
  // Throws OutputError; loses and repeats no byte: what it could not write it writes another time.
  void flush();
  [[nodiscard]] FileDescriptor reader() const;                     // throws OutputError
  [[nodiscard]] const std::string& name() const { return name_; }  // for messages

 private:
  std::string name_;
  FileDescriptor file_;
  std::string tail_;  // what is not in the file yet
  std::uint64_t size_ = 0;
};

}  // namespace fetchline
