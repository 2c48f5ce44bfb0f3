// The sink of `--format ndjson`: each result a line of JSON in one file or on stdout.
#pragma once

#include <string>

#include "collector/output_file.h"
#include "collector/result_sink.h"
#include "proto/record_json.h"

namespace fetchline {

// Owned and called by the collector's loop thread. Only the constructor, flush() and finish()
// do I/O and throw OutputError; after ENOSPC flush() may be called again, and so may finish().
class NdjsonSink final : public ResultSink {
 public:
  NdjsonSink(std::string path, OutputFile::Existing existing, RecordOptions options);

  Recovered recover(const std::vector<OutputSum>& sums) override;
  void write(const Result& result) override;
  [[nodiscard]] bool has_room() const override { return file_.has_room(); }
  void flush() override { file_.flush(); }
  void sync() override { file_.sync(); }
  [[nodiscard]] int blocked_fd() const override { return file_.blocked_fd(); }
  [[nodiscard]] bool is_file() const override { return file_.is_regular(); }
  [[nodiscard]] std::uint64_t bytes() const override { return file_.accepted_bytes(); }
  [[nodiscard]] OutputSum sum() const override { return file_.sum(); }
  Totals finish() override;

 private:
  OutputFile file_;
  RecordOptions options_;
  std::string line_;  // kept for its memory
};

}  // namespace fetchline
