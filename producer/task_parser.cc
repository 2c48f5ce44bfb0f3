#include "producer/task_parser.h"

#include <utility>

#include "producer/record_input.h"
#include "producer/task_object.h"
#include "producer/text_excerpt.h"
#include "proto/ascii.h"
#include "proto/task_hash.h"
#include "proto/url.h"

namespace fetchline {
namespace {

constexpr std::size_t kShownBytes = 2048;  // of a line or URL that is at fault

// Above this the memory of one huge record is given back instead of kept for the next line.
constexpr std::size_t kKeptRecordBytes = std::size_t{1} << 20;

constexpr const char* kLineTooLong = "line is longer than 64 KiB";

std::string_view too_long_reason(std::string_view text) {
  return text.starts_with(LineReader::kRecordBeginning) ? "record is longer than 256 MiB"
                                                        : kLineTooLong;
}

// What is meant by the line, without what editors leave around it.
std::string_view content_of(const Line& line) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  auto text = line.text;
  if (line.number == 1 && !line.is_emitted && text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  return trimmed(text);
}

// A reason may quote the input, so it is made presentable as well.
InvalidTask invalid_task(const Line& line, Index index, std::string_view shown,
                         std::string_view reason) {
  return {.index = index,
          .line_number = line.number,
          .emitted = line.emitted,
          .reason = excerpt(reason, kShownBytes),
          .url = excerpt(shown, kShownBytes),
          .id = {},
          .meta = {}};
}

ParsedLine parse_plain(const Line& line, Index index, std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return invalid_task(line, index, text, "line is not UTF-8");
  }
  const auto parsed = parse_url(text);
  if (const auto* fault = std::get_if<UrlFault>(&parsed)) {
    return invalid_task(line, index, text, fault->reason);
  }
  Task task;
  task.index = index;
  task.url = text;
  return task;
}

// As the user wrote it: 2.50 stays 2.50. `minified` is the same value, for a record that must be
// one line although a carriage return stands between two words of this.
std::string meta_of(std::string_view text, std::string minified) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return minified;
  if (document.get_object().get(object) != simdjson::SUCCESS) return minified;
  std::string_view last;
  for (auto field : object) {
    std::string_view key, raw;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return minified;
    if (key != "meta") continue;
    if (simdjson::to_json_string(field.value()).get(raw) != simdjson::SUCCESS) return minified;
    last = trimmed(raw);
  }
  return last.empty() || last.find('\r') != std::string_view::npos ? minified : std::string(last);
}

}  // namespace

std::string errormsg_of(const InvalidTask& invalid) {
  std::string place = "line " + std::to_string(invalid.line_number);
  if (invalid.emitted > 0) place += ", emit " + std::to_string(invalid.emitted);
  return place + ": " + invalid.reason;
}

TaskParser::TaskParser(EmitRule rule)
    : json_(std::make_unique<simdjson::dom::parser>()), emitter_(std::move(rule)) {}
TaskParser::~TaskParser() = default;
TaskParser::TaskParser(TaskParser&&) noexcept = default;
TaskParser& TaskParser::operator=(TaskParser&&) noexcept = default;

ParsedLine TaskParser::parse(const Line& line, Index index) {
  const auto text = content_of(line);
  // A long line of spaces is still too long: what is behind the prefix is not known.
  if (text.starts_with('#') || (text.empty() && !line.too_long)) return Skip{};
  ParsedLine parsed = parse_content(line, index, text);
  if (auto* task = std::get_if<Task>(&parsed)) {
    task->hash = text.starts_with('{') ? other_task_hash(text) : plain_task_hash(text);
  } else if (auto* invalid = std::get_if<InvalidTask>(&parsed); invalid && invalid->hash == 0) {
    invalid->hash = other_task_hash(text);
  }
  return parsed;
}

ParsedLine TaskParser::parse_content(const Line& line, Index index, std::string_view text) {
  if (line.too_long) return invalid_task(line, index, text, too_long_reason(text));
  return text.starts_with('{') ? parse_object(line, index, text) : parse_plain(line, index, text);
}

ParsedLine TaskParser::parse_object(const Line& line, Index index, std::string_view text) {
  if (json_->capacity() > kKeptRecordBytes) json_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::object object;
  const auto error = json_->parse(text.data(), text.size()).get(object);
  if (error != simdjson::SUCCESS) {
    return invalid_task(line, index, text, std::string("bad JSON: ") + error_message(error));
  }
  if (is_record(object)) return parse_record(line, index, object);
  if (text.size() > LineReader::kMaxLineBytes) return invalid_task(line, index, text, kLineTooLong);
  Task task;
  task.index = index;
  const auto fault = read_task(object, task);
  if (!task.meta.empty()) task.meta = meta_of(text, std::move(task.meta));
  if (!fault) return task;
  auto invalid = invalid_task(line, index, task.url.empty() ? text : task.url, *fault);
  invalid.id = std::move(task.id);
  invalid.meta = std::move(task.meta);
  return invalid;
}

// Its times are others when it is fetched again, so it is known by what is the same then.
ParsedLine TaskParser::parse_record(const Line& line, Index index,
                                    const simdjson::dom::object& record) {
  Emitted emitted;
  if (line.is_emitted) {
    emitted.error = "a record within a record";
  } else {
    emitted = emitted_by(record, emitter_);
    if (emitted.error.empty()) return RecordLines{std::move(emitted.lines)};
  }
  std::string_view url;
  if (record["url"].get(url) != simdjson::SUCCESS) url = {};
  auto invalid = invalid_task(line, index, url, "record: " + emitted.error);
  invalid.hash = other_task_hash(std::string(url) + '\n' + emitted.error);
  return invalid;
}

}  // namespace fetchline
