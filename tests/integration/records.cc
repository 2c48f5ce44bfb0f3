#include "tests/integration/records.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "tests/collector/temporary_directory.h"
#include "tests/origin/script.h"

namespace fetchline {
namespace {

using nlohmann::json;

std::string sha256_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", digest.at(i));
    hex += digits.data();
  }
  return hex;
}

std::string from_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  for (auto at = text.rbegin(); at != text.rend() && *at == '='; ++at) bytes.pop_back();
  return bytes;
}

std::string manifest_of(const std::string& output_path) { return output_path + ".manifest.json"; }

}  // namespace

Records parse_records(std::string_view text) {
  Records records;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      ADD_FAILURE() << "half a line at the end: " << text.substr(0, 200);
      break;
    }
    json record = json::parse(text.substr(0, end), nullptr, false);
    if (!record.is_object() || record.value("index", json()) != records.size()) {
      ADD_FAILURE() << "not record " << records.size() << ": " << text.substr(0, 200);
      break;
    }
    records.push_back(std::move(record));
    text.remove_prefix(end + 1);
  }
  return records;
}

Records read_records(const std::string& path) { return parse_records(read_file(path)); }

std::string body_of(const json& record) {
  EXPECT_FALSE(record.contains("body") && record.contains("body_base64")) << record.at("index");
  if (record.contains("body")) return record.at("body");
  return record.contains("body_base64") ? from_base64(record.at("body_base64")) : std::string();
}

Outcomes outcomes_of(const Records& records) {
  Outcomes outcomes;
  for (const json& record : records) ++outcomes[record.at("outcome").get<std::string>()];
  return outcomes;
}

void expect_answers(const Records& records, const Origin& origin,
                    const std::vector<std::string>& targets) {
  ASSERT_EQ(records.size(), targets.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const json& record = records[i];
    ASSERT_EQ(record.at("url"), origin.url(targets[i])) << "record " << i;
    ASSERT_EQ(record.at("outcome"), "ok") << "record " << i << ": " << record.at("errormsg");
    ASSERT_TRUE(body_of(record) == origin_body(targets[i])) << "record " << i;
  }
}

void expect_manifest(const std::string& output_path, const Records& records) {
  ASSERT_TRUE(has_manifest(output_path));
  const json manifest = json::parse(read_file(manifest_of(output_path)));
  const std::string output = read_file(output_path);
  EXPECT_EQ(manifest.at("count"), records.size());
  EXPECT_EQ(manifest.at("outcomes"), json(outcomes_of(records)));
  EXPECT_EQ(manifest.at("bytes"), output.size());
  EXPECT_EQ(manifest.at("sha256"), sha256_of(output));
  EXPECT_TRUE(manifest.at("job").is_string());
  EXPECT_GE(manifest.at("time_total"), 0.0);
}

bool has_manifest(const std::string& output_path) {
  return std::filesystem::exists(manifest_of(output_path));
}

std::vector<std::string> mixed_targets(std::size_t count, std::size_t max_delay_ms,
                                       std::size_t max_size, const std::string& name) {
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t mixed = (i + 1) * 0x9E3779B97F4A7C15ULL;
    targets.push_back("/" + name + "/" + std::to_string(i) +
                      "?delay=" + std::to_string((mixed >> 33) % max_delay_ms) +
                      "&size=" + std::to_string((mixed >> 11) % max_size));
  }
  return targets;
}

std::string urls_of(const Origin& origin, const std::vector<std::string>& targets) {
  std::string lines;
  for (const std::string& target : targets) lines += origin.url(target) + "\n";
  return lines;
}

}  // namespace fetchline
