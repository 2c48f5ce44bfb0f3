#include "proto/emitter.h"

#include <simdjson.h>

#include <utility>

#include "proto/json_text.h"
#include "proto/links.h"

namespace fetchline {
namespace {

// Above this the memory of one huge body is given back instead of kept for the next.
constexpr std::size_t kKeptCapacityBytes = std::size_t{1} << 20;

std::string_view without_edges(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\r";
  const auto first = line.find_first_not_of(kSpaces);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(kSpaces) - first + 1);
}

// Of a line that is too long so much is kept that the next stage sees that it is.
void append_line(std::string& lines, std::string_view line) {
  constexpr std::size_t kLongestCharacter = 4;
  if (line.size() > kMaxTaskLineBytes + kLongestCharacter) {
    std::size_t end = kMaxTaskLineBytes + kLongestCharacter;
    while ((static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80) --end;  // within a character
    line = line.substr(0, end);
  }
  lines.append(line).append("\n");
}

std::string_view kind_of(simdjson::dom::element value) {
  using Type = simdjson::dom::element_type;
  switch (value.type()) {
    case Type::ARRAY:
      return "a list";
    case Type::BOOL:
      return "true or false";
    case Type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

Emitted too_many(std::string_view what) {
  return {.lines = {},
          .error = std::string(what) + " has more than " + mib_text(kMaxEmitBytes) + " of tasks"};
}

// What is wrong with it; empty when it is a task.
std::string append_task(std::string& lines, simdjson::dom::element value) {
  if (value.is_object()) {
    append_line(lines, simdjson::minify(value));
    return {};
  }
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::string(kind_of(value)) + ", no task";
  if (text.find('\n') != text.npos) return "more than one line";
  append_line(lines, text);
  return {};
}

std::string place_of(const std::string& pointer) { return pointer.empty() ? "the top" : pointer; }

Emitted tasks_of(simdjson::dom::element value, const std::string& pointer) {
  Emitted emitted;
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) {
    const auto fault = append_task(emitted.lines, value);
    if (!fault.empty()) return {.lines = {}, .error = "at " + place_of(pointer) + " is " + fault};
    return emitted;
  }
  std::size_t number = 0;
  for (const auto item : list) {
    const auto fault = append_task(emitted.lines, item);
    const auto here = pointer + "/" + std::to_string(number++);
    if (!fault.empty()) return {.lines = {}, .error = "at " + here + " is " + fault};
    if (emitted.lines.size() > kMaxEmitBytes) return too_many("the body");
  }
  return emitted;
}

}  // namespace

Emitted input_lines(std::string_view text, std::string_view what) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (!is_utf8(text)) return {.lines = {}, .error = std::string(what) + " is not UTF-8"};
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Emitted emitted;
  while (const auto line = take_line(text)) {
    const auto task = without_edges(*line);
    if (!task.empty() && !task.starts_with('#')) append_line(emitted.lines, task);
    if (emitted.lines.size() > kMaxEmitBytes) return too_many(what);
  }
  return emitted;
}

Emitter::Emitter(EmitRule rule)
    : rule_(std::move(rule)), json_(std::make_unique<simdjson::dom::parser>()) {}
Emitter::~Emitter() = default;
Emitter::Emitter(Emitter&&) noexcept = default;
Emitter& Emitter::operator=(Emitter&&) noexcept = default;

Emitted Emitter::lines_of(std::string_view body, std::string_view url) {
  switch (rule_.kind) {
    case EmitRule::Kind::body_lines:
      return input_lines(body, "the body");
    case EmitRule::Kind::links:
      return links_of(body, url);
    case EmitRule::Kind::json:
      return at_pointer(body);
    case EmitRule::Kind::exec:
      return {.lines = {}, .error = "no worker ran a command, as --emit exec: asks for"};
  }
  return {};
}

void Emitter::apply(Result& result) {
  if (result.outcome == Outcome::ok && result.emit) return;
  const std::string& url = result.url_effective.empty() ? result.url : result.url_effective;
  result.emit = result.outcome == Outcome::ok ? lines_of(result.body, url) : Emitted();
}

Emitted Emitter::at_pointer(std::string_view body) {
  if (json_->capacity() > kKeptCapacityBytes) json_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::element whole, value;
  if (const auto error = json_->parse(body.data(), body.size()).get(whole)) {
    return {.lines = {},
            .error = std::string("the body is not JSON: ") + simdjson::error_message(error)};
  }
  if (whole.at_pointer(rule_.argument).get(value) != simdjson::SUCCESS) {
    return {.lines = {}, .error = "nothing is at " + rule_.argument};
  }
  return tasks_of(value, rule_.argument);
}

}  // namespace fetchline
