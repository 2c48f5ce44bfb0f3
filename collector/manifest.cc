#include "collector/manifest.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "collector/damaged.h"
#include "collector/directory.h"
#include "collector/durable_file.h"
#include "proto/json_text.h"

namespace fetchline {
namespace {

using nlohmann::ordered_json;

ordered_json utc(std::chrono::system_clock::time_point time) {
  std::string text;
  append_json_utc(text, std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()));
  return ordered_json::parse(text);
}

double seconds_between(std::chrono::system_clock::time_point from,
                       std::chrono::system_clock::time_point to) {
  // The wall clock may have been set back meanwhile.
  if (to < from) return 0;
  const auto time = std::chrono::round<std::chrono::milliseconds>(to - from);
  return static_cast<double>(time.count()) / 1000.0;
}

ordered_json outcomes_of(const OutcomeCounts& counts) {
  auto outcomes = ordered_json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) outcomes[std::string(to_string(static_cast<Outcome>(i)))] = counts[i];
  }
  return outcomes;
}

}  // namespace

std::string manifest_path(const std::string& output_path) { return output_path + ".manifest.json"; }

std::string to_json(const Manifest& manifest) {
  ordered_json json;
  json["job"] = to_string(manifest.job);
  json["count"] = manifest.count;
  json["outcomes"] = outcomes_of(manifest.outcomes);
  json["bytes"] = manifest.bytes;
  json["sha256"] = manifest.sha256;
  if (manifest.input) json["input"] = std::to_string(*manifest.input);  // too long for a number
  json["format"] = manifest.format;
  json["output"] = to_utf8(manifest.output);
  if (!manifest.output_dir.empty()) json["output_dir"] = to_utf8(manifest.output_dir);
  if (!manifest.emit.empty()) json["emit"] = manifest.emit;
  json["started_at"] = utc(manifest.started_at);
  json["finished_at"] = utc(manifest.finished_at);
  json["time_total"] = seconds_between(manifest.started_at, manifest.finished_at);
  return json.dump(2) + "\n";
}

void write_manifest(const std::string& path, const Manifest& manifest) {
  write_durable_file(path, to_json(manifest));
}

void mark_taken(const std::string& path) try {
  std::ifstream file(path);
  if (!file) throw OutputError(path, ENOENT);
  auto json = ordered_json::parse(file);
  if (json.value("taken", false)) return;
  json["taken"] = true;
  write_durable_file(path, json.dump(2) + "\n");
} catch (const nlohmann::json::exception& error) {
  throw DamagedError(path, 0, error.what());
}

std::optional<Manifest> read_manifest(const std::string& path) try {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  const auto json = nlohmann::json::parse(file);
  Manifest manifest;
  manifest.job = parse_job_id(json.at("job").get<std::string>()).value_or(JobId{});
  manifest.count = json.at("count").get<std::uint64_t>();
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const std::string name(to_string(static_cast<Outcome>(i)));
    manifest.outcomes[i] = json.at("outcomes").value(name, std::uint64_t{0});
  }
  manifest.bytes = json.at("bytes").get<std::uint64_t>();
  manifest.sha256 = json.at("sha256").get<std::string>();
  manifest.format = json.value("format", std::string());
  manifest.output_dir = json.value("output_dir", std::string());
  manifest.emit = json.value("emit", std::string());
  manifest.taken = json.value("taken", false);
  if (json.contains("input")) manifest.input = std::stoull(json.at("input").get<std::string>());
  return manifest;
} catch (const nlohmann::json::exception& error) {
  throw DamagedError(path, 0, error.what());
} catch (const std::logic_error& error) {  // of stoull
  throw DamagedError(path, 0, error.what());
}

void remove_manifest(const std::string& path) {
  if (unlink(path.c_str()) == 0) {
    sync_directory_of(path);
  } else if (errno != ENOENT) {
    throw OutputError(path, errno);
  }
}

}  // namespace fetchline
