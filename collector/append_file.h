// A regular file that only grows at its end, and what is written to it waits in memory until it is
// asked to go: the journal's segments and the hashes of tasks are such files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "collector/output_error.h"
#include "proto/file_descriptor.h"

namespace fetchline {

// Owned and called by the collector's loop thread. Everything but tail() does I/O and throws
// OutputError; none loses or repeats a byte: what flush() could not write it writes another time.
class AppendFile {
 public:
  // One to go on with; it need not be there.
  [[nodiscard]] static AppendFile open(std::string path);
  // An empty one, which flush() makes when there is something to write; it must not be there.
  [[nodiscard]] static AppendFile create(std::string path) { return AppendFile(std::move(path)); }
  // An empty one that is open, and goes when nobody has it open any more; `name` is for messages.
  [[nodiscard]] static AppendFile unnamed(std::string name, FileDescriptor file);

  // What is appended to it will stand from size() on.
  [[nodiscard]] std::string& tail() { return pending_; }
  void flush();
  void sync();  // what was flushed is on the disk; an error is for ever

  [[nodiscard]] std::uint64_t size() const { return flushed_ + pending_.size() - written_; }
  [[nodiscard]] std::size_t pending_bytes() const { return pending_.size() - written_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] FileDescriptor reader() const;  // another descriptor of it, for pread()
  // Of what was flushed; shorter than asked for where the file ends.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t length) const;
  void cut(std::uint64_t size);  // nothing is pending
  void remove();                 // its name; the file is of no use any more

 private:
  explicit AppendFile(std::string path) : path_(std::move(path)) {}
  void open_file(int flags);

  std::string path_;
  FileDescriptor file_;
  std::uint64_t flushed_ = 0;
  std::string pending_;
  std::size_t written_ = 0;  // bytes at the front of pending_ that are in the file already
};

}  // namespace fetchline
