#include "collector/ndjson_sink.h"

#include <stdexcept>
#include <utility>

#include "proto/record_line.h"

namespace fetchline {
namespace {

// Above this the memory of one huge record is given back instead of kept for the next.
constexpr std::size_t kKeptLineBytes = 4 * OutputFile::kRoomBytes;

}  // namespace

NdjsonSink::NdjsonSink(std::string path, OutputFile::Existing existing, RecordOptions options)
    : file_(std::move(path), existing), options_(options) {}

ResultSink::Recovered NdjsonSink::recover(const std::vector<OutputSum>& sums) {
  Recovered recovered;
  RecordReader reader;
  const auto keep = [&](std::string_view line) {
    const auto record = reader.read(line);
    if (!record || record->index != recovered.records) return false;
    if (!record->file.empty()) return false;  // another format's
    ++recovered.records;
    ++recovered.counts[static_cast<std::size_t>(record->outcome)];
    return true;
  };
  recovered.cut_bytes = file_.recover(keep, sums);
  return recovered;
}

void NdjsonSink::write(const Result& result) {
  line_.clear();
  append_record(line_, result, options_);
  file_.append(line_);
  if (line_.capacity() > kKeptLineBytes) line_ = std::string();
}

ResultSink::Totals NdjsonSink::finish() {
  file_.flush();
  if (file_.pending_bytes() > 0) throw std::logic_error("finish() before the reader took it all");
  file_.sync();
  return {file_.accepted_bytes(), file_.sha256()};
}

}  // namespace fetchline
