// Where results go, in order. The one plug point of the collector: one sink a format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collector/output_sums.h"
#include "proto/result.h"

namespace fetchline {

// Owned and called by the collector's loop thread. Results arrive in index order, each once.
// Nothing here blocks on a slow reader: a sink takes results while has_room() and pushes bytes
// out in flush(). Errors of the disk or the reader are thrown as OutputError.
class ResultSink {
 public:
  virtual ~ResultSink() = default;

  struct Recovered {
    Index records = 0;
    OutcomeCounts counts{};
    std::uint64_t cut_bytes = 0;
  };
  // What stands in an output that is resumed; a torn tail is cut. Called before the first write().
  // What has not the sums that it had is damaged. Throws DamagedError.
  virtual Recovered recover(const std::vector<OutputSum>& sums) = 0;

  // Of an output with a journal, after recover(): where facts may be kept that a resumed run needs.
  // They are gone again after finish().
  virtual void begin(const std::string& journal_directory) { (void)journal_directory; }

  virtual void write(const Result& result) = 0;
  [[nodiscard]] virtual bool has_room() const = 0;

  // Pushes out what the reader or the disk takes now, without waiting for it.
  virtual void flush() = 0;
  // What was flushed survives the loss of power.
  virtual void sync() = 0;
  // The descriptor to wait on for POLLOUT when flush() left something behind; -1 when nothing is.
  [[nodiscard]] virtual int blocked_fd() const = 0;

  // Not a pipe or a device: it can be read again.
  [[nodiscard]] virtual bool is_file() const = 0;
  // Whether a full disk is worth waiting for: someone may make room for a file, not for a device.
  [[nodiscard]] virtual bool can_wait_for_room() const { return is_file(); }

  // Of what was written, all of it once it is flushed: how much it is, and with its checksum.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  [[nodiscard]] virtual OutputSum sum() const = 0;

  // Everything is out: bytes written in total and their SHA-256 (64 hex digits).
  struct Totals {
    std::uint64_t bytes = 0;
    std::string sha256;
  };
  // Called once after the last write() and when blocked_fd() is -1; makes the output durable.
  virtual Totals finish() = 0;
};

}  // namespace fetchline
