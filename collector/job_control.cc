#include "collector/job_control.h"

#include <nlohmann/json.hpp>

namespace fetchline {
namespace {

std::optional<bool> switch_in(const nlohmann::json& json, const char* name) {
  if (!json.contains(name)) return std::nullopt;
  return json.at(name).get<bool>();
}

}  // namespace

std::string to_json(const JobControl& control) {
  nlohmann::ordered_json json;
  json["job"] = to_string(control.job);
  json["log"] = control.log;
  json["epochs"] = nlohmann::ordered_json::array();
  for (const auto& [nonce, epoch] : control.epochs) {
    json["epochs"].push_back({nonce, static_cast<std::uint32_t>(epoch)});
  }
  if (control.total) json["total"] = *control.total;
  if (control.begun_below > 0) json["begun_below"] = control.begun_below;
  if (control.begun_before > 0) json["begun_before"] = control.begun_before;
  const Beginning& beginning = control.beginning;
  if (!beginning.format.empty()) json["format"] = beginning.format;
  if (!beginning.output_dir.empty()) json["output_dir"] = beginning.output_dir;
  if (!beginning.emit.empty()) json["emit"] = beginning.emit;
  if (beginning.body) json["body"] = *beginning.body;
  if (beginning.headers) json["headers"] = *beginning.headers;
  if (beginning.started_at.count() != 0) json["started_at"] = beginning.started_at.count();
  return json.dump() + "\n";
}

std::optional<JobControl> job_control_of(std::string_view json) try {
  const auto parsed = nlohmann::json::parse(json);
  const auto job = parse_job_id(parsed.at("job").get<std::string>());
  if (!job || job->is_none()) return std::nullopt;
  JobControl control;
  control.job = *job;
  control.log = parsed.at("log").get<std::uint64_t>();
  for (const auto& entry : parsed.at("epochs")) {
    control.epochs[entry.at(0).get<std::uint64_t>()] = Epoch{entry.at(1).get<std::uint32_t>()};
  }
  if (parsed.contains("total")) control.total = parsed.at("total").get<Index>();
  control.begun_below = parsed.value("begun_below", Index{0});
  control.begun_before = parsed.value("begun_before", Index{0});
  control.beginning = {
      .format = parsed.value("format", std::string()),
      .output_dir = parsed.value("output_dir", std::string()),
      .emit = parsed.value("emit", std::string()),
      .body = switch_in(parsed, "body"),
      .headers = switch_in(parsed, "headers"),
      .started_at = std::chrono::milliseconds(parsed.value("started_at", std::int64_t{0}))};
  return control;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

}  // namespace fetchline
