// What a body emits: lines that a next stage can read, or a reason; and read back from a record
// they are the same. The input: a byte for the rule, then the body.
#include "proto/emitter.h"

#include <set>
#include <string>

#include "producer/task_parser.h"
#include "proto/json_text.h"
#include "proto/links.h"
#include "proto/record_json.h"
#include "proto/url.h"
#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

EmitRule rule_of(std::uint8_t number) {
  using Kind = EmitRule::Kind;
  switch (number % 4) {
    case 0:
      return {.kind = Kind::body_lines, .argument = {}};
    case 1:
      return {.kind = Kind::links, .argument = {}};
    case 2:
      return {.kind = Kind::json, .argument = {}};
    default:
      return {.kind = Kind::json, .argument = "/a"};
  }
}

void check_link(std::string_view line, std::set<std::string_view>& seen) {
  const auto parsed = parse_url(line);
  check(std::holds_alternative<UrlView>(parsed), "a link is a URL");
  check(line.find('#') == line.npos, "it has no fragment");
  check(seen.insert(line).second, "it comes once");
}

void check_lines(const Emitted& emitted, const EmitRule& rule) {
  check(is_utf8(emitted.lines) && is_utf8(emitted.error), "it can be a record's");
  check(emitted.lines.empty() || emitted.lines.ends_with('\n'), "lines are whole");
  check(emitted.lines.empty() || emitted.error.empty(), "there are lines or a reason");
  std::set<std::string_view> seen;
  std::string_view left = emitted.lines;
  while (const auto line = take_line(left)) {
    check(line->size() <= kMaxTaskLineBytes + 4, "a line is not much longer than a task");
    if (rule.kind == EmitRule::Kind::links) check_link(*line, seen);
  }
}

void check_record(const Result& result) {
  std::string record;
  append_record(record, result, {.body = false});
  record.pop_back();
  TaskParser parser;
  const auto parsed = parser.parse({.text = record, .number = 1}, 0);
  const auto* lines = std::get_if<RecordLines>(&parsed);
  check(lines != nullptr, "a record is one on input");
  check(lines->lines == result.emit->lines, "it stands for what it emits");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  const EmitRule rule = rule_of(input.byte());
  Result result;
  result.outcome = Outcome::ok;
  result.url = "https://a.example/dir/page?q";
  result.body = input.take_all();
  Emitter emitter(rule), other(rule);
  emitter.apply(result);
  check_lines(*result.emit, rule);
  check_record(result);
  (void)other.lines_of("<a href=x>{", "http://a/");
  check(other.lines_of(result.body, result.url) == *result.emit,
        "what came before changes nothing");
  return 0;
}

}  // namespace fetchline::fuzz
