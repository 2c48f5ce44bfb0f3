// The sink of `--format files`: each body in a file of its own, the records, which name it, in
// order in another or on stdout.
#pragma once

#include <optional>
#include <string>

#include "collector/body_directory.h"
#include "collector/body_names.h"
#include "collector/output_file.h"
#include "collector/result_sink.h"
#include "proto/record_json.h"

namespace fetchline {

// Owned and called by the collector's loop thread. A record is the commit of its file: it is
// written behind the whole body, so what a killed process left without a record is written anew.
//
// write() does I/O but does not throw; a body it could not write is tried again by flush(), which
// tells why not, and until then there is no room.
class FilesSink final : public ResultSink {
 public:
  struct Options {
    std::string output;     // of the records
    std::string directory;  // of the bodies
    OutputFile::Existing existing = OutputFile::Existing::refuse;
    bool headers = true;
    bool survives_power_loss = false;  // each record: its body is synced before
  };
  explicit FilesSink(const Options& options);

  Recovered recover(const std::vector<OutputSum>& sums) override;
  void begin(const std::string& journal_directory) override;
  void write(const Result& result) override;
  [[nodiscard]] bool has_room() const override { return !left_ && records_.has_room(); }
  void flush() override;
  void sync() override;
  [[nodiscard]] int blocked_fd() const override { return records_.blocked_fd(); }
  [[nodiscard]] bool is_file() const override { return records_.is_regular(); }
  // It is the bodies' disk, or a records' file's: never a pipe's.
  [[nodiscard]] bool can_wait_for_room() const override { return left_ || is_file(); }
  [[nodiscard]] std::uint64_t bytes() const override { return records_.accepted_bytes(); }
  [[nodiscard]] OutputSum sum() const override { return records_.sum(); }
  Totals finish() override;

 private:
  struct Body {
    std::string name, bytes;
  };

  void write_body(const std::string& name, const std::string& bytes);
  void flush_records();

  BodyDirectory bodies_;  // first: without it no file of records is begun
  OutputFile records_;
  const RecordOptions record_options_;
  const bool survives_power_loss_;
  BodyNames names_;
  bool unsynced_ = false;     // bodies were written since the last sync
  std::string record_;        // of the body in hand
  std::optional<Body> left_;  // could not be written; record_ is its record
};

}  // namespace fetchline
