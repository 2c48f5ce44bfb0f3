#include "proto/record_line.h"

#include <simdjson.h>

#include <new>

namespace fetchline {
namespace {

std::optional<Outcome> outcome_of(std::string_view name) {
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (to_string(outcome) == name) return outcome;
  }
  return std::nullopt;
}

}  // namespace

// A record is one level deeper than the `meta` in it, which is as deep as a parser takes otherwise.
RecordReader::RecordReader() : json_(std::make_unique<simdjson::dom::parser>()) {
  constexpr std::size_t kCapacityAtFirst = 4096;
  const auto error = json_->allocate(kCapacityAtFirst, simdjson::DEFAULT_MAX_DEPTH + 1);
  if (error != simdjson::SUCCESS) throw std::bad_alloc();
}
RecordReader::~RecordReader() = default;

std::optional<RecordHead> RecordReader::read(std::string_view line) {
  simdjson::dom::object record;
  if (json_->parse(line.data(), line.size()).get(record) != simdjson::SUCCESS) return std::nullopt;
  std::uint64_t index = 0;
  std::string_view name;
  if (record["index"].get(index) != simdjson::SUCCESS) return std::nullopt;
  if (record["outcome"].get(name) != simdjson::SUCCESS) return std::nullopt;
  const auto outcome = outcome_of(name);
  if (!outcome) return std::nullopt;
  std::string_view url;
  if (record["url"].get(url) != simdjson::SUCCESS) url = {};
  std::string_view file;
  if (record["file"].get(file) != simdjson::SUCCESS) file = {};  // of --format files only
  return RecordHead{index, *outcome, url, file};
}

}  // namespace fetchline
