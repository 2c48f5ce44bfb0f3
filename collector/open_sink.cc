#include "collector/open_sink.h"

#include "collector/files_sink.h"
#include "collector/ndjson_sink.h"

namespace fetchline {
namespace {

OutputFile::Existing existing(const CollectorOptions& options) {
  if (options.resume) return OutputFile::Existing::resume;
  return options.overwrite ? OutputFile::Existing::overwrite : OutputFile::Existing::refuse;
}

}  // namespace

std::unique_ptr<ResultSink> open_sink(const CollectorOptions& options) {
  if (options.format == OutputFormat::ndjson) {
    return std::make_unique<NdjsonSink>(options.output, existing(options), options.record);
  }
  return std::make_unique<FilesSink>(
      FilesSink::Options{.output = options.output,
                         .directory = options.output_dir,
                         .existing = existing(options),
                         .headers = options.record.headers,
                         .survives_power_loss = options.durability == Journal::Durability::power});
}

}  // namespace fetchline
