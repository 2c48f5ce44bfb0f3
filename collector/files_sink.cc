#include "collector/files_sink.h"

#include <filesystem>
#include <stdexcept>

#include "collector/durable_file.h"
#include "collector/existing_output.h"
#include "collector/manifest.h"
#include "proto/record_line.h"

namespace fetchline {
namespace {

BodyDirectory::Existing existing_bodies(OutputFile::Existing existing) {
  return existing == OutputFile::Existing::overwrite ? BodyDirectory::Existing::overwrite
                                                     : BodyDirectory::Existing::refuse;
}

// A failure without a body has nothing to put into a file; an empty success does.
bool has_file(const Result& result) {
  return result.outcome == Outcome::ok || !result.body.empty();
}

}  // namespace

FilesSink::FilesSink(const Options& options)
    : bodies_(options.directory, existing_bodies(options.existing)),
      records_(options.output, options.existing),
      record_options_{.body = false, .headers = options.headers},
      survives_power_loss_(options.survives_power_loss) {
  // The records may stand among the bodies.
  const std::string own = std::filesystem::path(options.output).filename();
  const std::string manifest = manifest_path(own);
  for (const auto& name : {own, spill_path(own), manifest, temporary_path(manifest)})
    names_.reserve(name);
}

ResultSink::Recovered FilesSink::recover(const std::vector<OutputSum>& sums) {
  Recovered recovered;
  RecordReader reader;
  std::string last;
  const auto keep = [&](std::string_view line) {
    const auto record = reader.read(line);
    if (!record || record->index != recovered.records) return false;
    if (record->file.empty() && record->outcome == Outcome::ok) return false;  // another format's
    if (!record->file.empty()) names_.add(record->index, last = record->file);
    ++recovered.records;
    ++recovered.counts[static_cast<std::size_t>(record->outcome)];
    return true;
  };
  recovered.cut_bytes = records_.recover(keep, sums);
  if (last.empty() || bodies_.has(last)) return recovered;
  throw OutputError(bodies_.path_of(last), ENOENT, " (but there is a record of it)");
}

void FilesSink::begin(const std::string& journal_directory) {
  bodies_.distinguish(journal_directory + "/files");
}

void FilesSink::write(const Result& result) {
  if (left_) throw std::logic_error("write() without room");
  const std::string name = names_.choose(result.index, result.url, result.output);
  record_.clear();
  if (!has_file(result)) {
    bodies_.discard(name);
    append_record(record_, result, record_options_);
    return records_.append(record_);
  }
  append_record(record_, result, record_options_, name);
  names_.add(result.index, name);
  try {
    write_body(name, result.body);
  } catch (const OutputError&) {
    left_ = {.name = name, .bytes = result.body};
  }
}

// What can go goes first: the body that is left may have to wait long.
void FilesSink::flush() {
  flush_records();
  if (!left_) return;
  write_body(left_->name, left_->bytes);
  left_.reset();
  flush_records();
}

void FilesSink::sync() {
  if (unsynced_) bodies_.sync();
  unsynced_ = false;
  records_.sync();
}

ResultSink::Totals FilesSink::finish() {
  flush();
  if (records_.pending_bytes() > 0) throw std::logic_error("finish() before the reader took it");
  sync();
  bodies_.forget_list();
  return {records_.accepted_bytes(), records_.sha256()};
}

void FilesSink::write_body(const std::string& name, const std::string& bytes) {
  bodies_.write(name, bytes);
  unsynced_ = true;
  records_.append(record_);
}

// Many bodies to one sync: as many as came in one turn of the loop.
void FilesSink::flush_records() {
  if (survives_power_loss_ && unsynced_) {
    bodies_.sync();
    unsynced_ = false;
  }
  records_.flush();
}

}  // namespace fetchline
