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

std::optional<RecordHead> head_of(const simdjson::dom::object& record) {
  std::uint64_t index = 0;
  std::string_view name;
  if (record["index"].get(index) != simdjson::SUCCESS) return std::nullopt;
  if (record["outcome"].get(name) != simdjson::SUCCESS) return std::nullopt;
  const auto outcome = outcome_of(name);
  if (!outcome) return std::nullopt;
  return RecordHead{.index = index, .outcome = *outcome, .url = {}, .file = {}};
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
  auto head = head_of(record);
  if (!head) return std::nullopt;
  if (record["url"].get(head->url) != simdjson::SUCCESS) head->url = {};
  // Of --format files only.
  if (record["file"].get(head->file) != simdjson::SUCCESS) head->file = {};
  return head;
}

std::optional<EmittedRecord> RecordReader::read_emitted(std::string_view line) {
  simdjson::dom::object record;
  if (json_->parse(line.data(), line.size()).get(record) != simdjson::SUCCESS) return std::nullopt;
  const auto head = head_of(record);
  if (!head) return std::nullopt;
  EmittedRecord emitted{.index = head->index, .outcome = head->outcome, .lines = {}};
  simdjson::dom::array lines;
  if (record["emit"].get(lines) != simdjson::SUCCESS) return emitted;
  emitted.lines.emplace();
  for (const auto element : lines) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
    emitted.lines->emplace_back(text);
  }
  return emitted;
}

}  // namespace fetchline
