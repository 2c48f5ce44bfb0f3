// The file, pipe or terminal that results are written to, with a running SHA-256 of it all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/output_error.h"
#include "collector/output_sums.h"
#include "collector/sha256.h"
#include "proto/file_descriptor.h"

namespace fetchline {

// Owned and called by the collector's loop thread. append() takes bytes and does no I/O; flush()
// does all of it, so every error has one place to come from.
//
// Errors are thrown as OutputError. None loses or repeats a byte: what was not written stays
// pending, and a later flush() goes on behind the last byte that was.
//
// A reader that has gone is EPIPE only when SIGPIPE is ignored by the process.
class OutputFile {
 public:
  enum class Existing { refuse, overwrite, resume };

  // Opens `path`; "-" is stdout. A regular file that exists is refused (EEXIST) or emptied; its
  // manifest, which would call the new file complete, is removed; to resume, it is left as it is
  // for recover(). Pipes and devices are opened as they are, for there is nothing in them to lose;
  // a FIFO waits here for its reader.
  OutputFile(std::string path, Existing existing);

  // What an earlier process wrote, line by line, without the newlines: it is kept as if it had been
  // appended. A last line without its newline was torn and is cut, and so is what the loss of power
  // left a hole in: returns how many bytes. Otherwise false of `line` is damage, and so is a front
  // that has not the sum that it had. Throws DamagedError. Called before append(), for a regular
  // file that is resumed.
  std::uint64_t recover(const std::function<bool(std::string_view line)>& keep,
                        const std::vector<OutputSum>& sums = {});

  void append(std::string_view bytes);

  // Less than kRoomBytes are pending. A single append() may go past it by its own length.
  [[nodiscard]] bool has_room() const { return pending_bytes() < kRoomBytes; }
  static constexpr std::size_t kRoomBytes = 1024 * 1024;

  // Writes everything that is pending to a regular file; to anything else what its reader takes
  // without making us wait.
  void flush();

  // After flush(): what to wait on for POLLOUT, -1 when nothing is held up by a reader. A regular
  // file is never waited for: poll calls a full disk ready.
  [[nodiscard]] int blocked_fd() const;
  [[nodiscard]] std::size_t pending_bytes() const { return pending_.size() - written_; }

  // Content and size of a regular file are on the disk afterwards (its name is when the directory
  // is synced, as write_manifest() does). Does nothing for pipes and terminals.
  void sync();

  [[nodiscard]] bool is_regular() const { return kind_ == Kind::regular; }
  [[nodiscard]] std::uint64_t accepted_bytes() const { return accepted_bytes_; }
  [[nodiscard]] std::string sha256() const { return sha256_.hex(); }  // of the accepted bytes
  [[nodiscard]] OutputSum sum() const { return {accepted_bytes_, sha256()}; }

 private:
  enum class Kind { regular, socket, stream };

  void open_path(Existing existing);
  void accept_checked(std::string_view bytes, const std::vector<OutputSum>& sums);
  [[nodiscard]] bool read_more(std::string& bytes) const;
  void accept(std::string_view bytes);
  void cut(std::uint64_t size);
  void inspect();
  [[nodiscard]] bool takes_bytes_now() const;
  [[nodiscard]] std::size_t write_some();
  void forget_written();
  [[noreturn]] void fail(int error, std::string_view advice = {}) const;

  std::string name_;      // for messages
  FileDescriptor owned_;  // not open for stdout, which others may still use
  int fd_;
  Kind kind_ = Kind::stream;

  std::string pending_;
  std::size_t written_ = 0;  // bytes at the front of pending_ that are out already

  std::uint64_t accepted_bytes_ = 0;
  Sha256 sha256_;
};

}  // namespace fetchline
