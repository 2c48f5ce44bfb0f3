#include "collector/existing_output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "collector/damaged.h"
#include "collector/manifest.h"
#include "collector/output_error.h"
#include "collector/sha256.h"
#include "proto/json_text.h"

namespace fetchline {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

// A pipe or a device has nothing in it to lose.
bool is_stream(const std::string& output) {
  std::error_code error;
  const auto type = fs::status(output, error).type();
  return output == "-" || (type != fs::file_type::not_found && type != fs::file_type::regular);
}

std::uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw OutputError(path, error.value());
  return size;
}

void refuse_existing(const std::string& output) {
  const std::string spill = spill_path(output);
  if (exists(spill))
    throw OutputError(spill, EEXIST, " (--resume goes on with it, --overwrite starts anew)");
  std::error_code error;
  if (fs::is_regular_file(output, error))
    throw OutputError(output, EEXIST, " (--overwrite replaces it)");
}

bool is_same_directory(const std::string& given, const std::string& begun) {
  std::error_code error;
  return to_utf8(given) == begun || fs::equivalent(given, begun, error);
}

void check_flags(const CollectorOptions& options, const Beginning& begun) {
  const std::string behind = ", as " + options.output + " was begun";
  if (begun.format.empty()) return;  // not known
  if (begun.format != to_string(options.format))
    throw ResumeMismatch("--format: can only be " + begun.format + behind);
  if (!begun.output_dir.empty() && !is_same_directory(options.output_dir, begun.output_dir))
    throw ResumeMismatch("--output-dir: can only be " + begun.output_dir + behind);
  if (begun.emit == (options.emit ? to_string(*options.emit) : "")) return;
  if (begun.emit.empty())
    throw ResumeMismatch("--emit: " + options.output + " was begun without it");
  throw ResumeMismatch("--emit: can only be " + begun.emit + behind);
}

// Records of one output are all alike.
void check_records(const CollectorOptions& options, const Beginning& beginning) {
  const auto check = [&](const std::string& flag, bool given, std::optional<bool> begun) {
    if (!begun || given == *begun) return;
    const std::string what = *begun ? ": cannot be given, " : ": must be given, ";
    throw ResumeMismatch(flag + what + "as " + options.output + " was begun");
  };
  const bool in_records = options.format == OutputFormat::ndjson;
  if (in_records) check("--no-body", options.record.body, beginning.body);
  check("--no-headers", options.record.headers, beginning.headers);
}

std::string sha256_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw OutputError(path, errno);
  Sha256 sum;
  std::string bytes(std::size_t{1} << 20, '\0');
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) {
    sum.update(std::string_view(bytes).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  if (file.bad()) throw OutputError(path, EIO);
  return sum.hex();
}

void check_complete(const std::string& output, const Manifest& manifest) {
  const std::uint64_t size = size_of(output);
  if (size != manifest.bytes) {
    throw DamagedError(output, std::min(size, manifest.bytes),
                       "it has " + std::to_string(size) + " bytes, its manifest says " +
                           std::to_string(manifest.bytes));
  }
  if (sha256_of(output) != manifest.sha256)
    throw DamagedError(output, "its sha256 is not the one that its manifest says");
}

ExistingOutput check_resumable(const CollectorOptions& options) {
  std::error_code error;
  const bool has_output = fs::exists(options.output, error);
  const auto manifest =
      has_output ? read_manifest(manifest_path(options.output)) : std::optional<Manifest>();
  if (manifest) {
    check_flags(
        options,
        {.format = manifest->format, .output_dir = manifest->output_dir, .emit = manifest->emit});
    check_complete(options.output, *manifest);
    return ExistingOutput::complete;
  }
  const std::string spill = spill_path(options.output);
  if (!exists(spill)) {
    if (!has_output || size_of(options.output) == 0) return ExistingOutput::none;
    throw OutputError(options.output, EEXIST, " (without " + spill + " it cannot be resumed)");
  }
  const auto control = Journal::first_control(spill);
  if (!control) return ExistingOutput::none;
  check_flags(options, control->beginning);
  check_records(options, control->beginning);
  return ExistingOutput::begun;
}

}  // namespace

std::string spill_path(const std::string& output_path) { return output_path + ".spill"; }

ExistingOutput check_existing_output(const CollectorOptions& options) {
  if (is_stream(options.output)) return ExistingOutput::none;
  const fs::path folder = fs::path(options.output).parent_path();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    throw OutputError(options.output, errno);
  if (options.overwrite) return ExistingOutput::none;
  if (options.resume) return check_resumable(options);
  refuse_existing(options.output);
  return ExistingOutput::none;
}

}  // namespace fetchline
