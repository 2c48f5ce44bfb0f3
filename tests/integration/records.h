// What came out, checked: whole records, in the order of the input, with the origin's bodies.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/origin/origin.h"

namespace fetchline {

using Records = std::vector<nlohmann::json>;
using Outcomes = std::map<std::string, std::size_t>;

// Fails the test unless each line is a whole record and has the index of its place.
[[nodiscard]] Records parse_records(std::string_view text);
[[nodiscard]] Records read_records(const std::string& path);

[[nodiscard]] std::string body_of(const nlohmann::json& record);
[[nodiscard]] Outcomes outcomes_of(const Records& records);

// One record a target, in their order, all ok, each with the body that the origin gives.
void expect_answers(const Records& records, const Origin& origin,
                    const std::vector<std::string>& targets);

// FILE.manifest.json says of FILE what is so.
void expect_manifest(const std::string& output_path, const Records& records);
[[nodiscard]] bool has_manifest(const std::string& output_path);

// "/NAME/0?delay=…&size=…": `count` of them, with delays below `max_delay_ms` and bodies below
// `max_size`, of many lengths in no order.
[[nodiscard]] std::vector<std::string> mixed_targets(std::size_t count, std::size_t max_delay_ms,
                                                     std::size_t max_size,
                                                     const std::string& name = "t");
// A file of lines, one URL each.
[[nodiscard]] std::string urls_of(const Origin& origin, const std::vector<std::string>& targets);

}  // namespace fetchline
