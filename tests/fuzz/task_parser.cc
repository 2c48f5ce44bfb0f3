// Input as the producer reads it. However it is cut into pieces it has the same lines, and a line
// is passed over, a task that may be handed out, or a fault that can be a record.
// The input: a byte that says how it is cut, then what is read.
#include "producer/task_parser.h"

#include <simdjson.h>

#include <optional>
#include <vector>

#include "proto/url.h"
#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

struct OwnLine {
  std::string text;
  bool too_long = false;
  std::uint64_t number = 0;
  bool operator==(const OwnLine&) const = default;
};

std::vector<OwnLine> lines_of(std::string_view text, std::size_t piece_bytes) {
  LineReader reader;
  std::vector<OwnLine> lines;
  const auto take_all = [&] {
    while (const auto line = reader.next()) {
      lines.push_back({std::string(line->text), line->too_long, line->number});
    }
  };
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    reader.feed(text.substr(0, piece_bytes));
    take_all();
  }
  reader.finish();
  take_all();
  return lines;
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

void check_meta(std::string_view meta) {
  if (meta.empty()) return;
  check(meta.find_first_of("\r\n") == std::string_view::npos, "meta is on one line");
  simdjson::dom::parser parser;
  check(parser.parse(meta.data(), meta.size()).error() == simdjson::SUCCESS, "meta is JSON");
}

void check_url(std::string_view url) {
  const auto parsed = parse_url(url);
  const auto* view = std::get_if<UrlView>(&parsed);
  check(view != nullptr, "a task's URL is one");
  check(view->scheme.size() == 4 || view->scheme.size() == 5, "it is http or https");
  check((view->scheme.front() | 32) == 'h', "it is http");
  check(!view->host.empty() && view->port != 0, "it says where");
  check(is_utf8(url), "it can be a record's");
}

void check_header(std::string_view header) {
  check(header.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
        "a header is one line");
}

void check_task(const Task& task, Index index) {
  check(task.index == index && task.attempt == 1 && task.hash != 0, "a task as it begins");
  check_url(task.url);
  for (const auto& url : task.race) check_url(url);
  for (const auto& url : task.failover) check_url(url);
  for (const auto& header : task.headers) check_header(header);
  check_header(task.method);
  check(is_utf8(task.id) && is_utf8(task.output), "its texts can be a record's");
  check(task.max_time.count() >= 0, "its time does not run backwards");
  check_meta(task.meta);
}

void check_invalid(const InvalidTask& invalid, const OwnLine& line, Index index) {
  check(invalid.index == index && invalid.line_number == line.number, "whose fault it is");
  check(!invalid.reason.empty() && is_utf8(errormsg_of(invalid)), "it says why");
  check(invalid.url.size() <= 2048 && is_utf8(invalid.url), "what is shown is short");
  check(is_utf8(invalid.id) && invalid.hash % 2 == 1, "it is no plain line");
  check_meta(invalid.meta);
}

void check_parsed(const ParsedLine& parsed, const OwnLine& line) {
  if (const auto* task = std::get_if<Task>(&parsed)) check_task(*task, line.number);
  if (const auto* bad = std::get_if<InvalidTask>(&parsed)) check_invalid(*bad, line, line.number);
}

// A record's lines are parsed as others are, and are no records.
void check_record(TaskParser& parser, const RecordLines& record, const OwnLine& line) {
  std::uint64_t number = 0;
  std::string_view left = record.lines;
  while (const auto text = take_line(left)) {
    const ParsedLine parsed = parser.parse({.text = *text,
                                            .too_long = text->size() > LineReader::kMaxLineBytes,
                                            .number = line.number,
                                            .emitted = ++number,
                                            .is_emitted = true},
                                           line.number);
    check(!std::holds_alternative<RecordLines>(parsed), "there is no record within a record");
    check_parsed(parsed, line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  const std::size_t cut = input.byte();
  // The file says little for its length: some bytes may stand for many.
  std::string text(input.take_all());
  if (cut % 8 == 7) {
    if (const auto at = text.find('~'); at != std::string::npos) {
      text.insert(at, LineReader::kMaxLineBytes - 2 - std::min<std::size_t>(at, 60'000), 'a');
    }
  }
  const auto lines = lines_of(text, text.size() + 1);
  check(lines == lines_of(text, 1 + cut), "the same lines in pieces");
  TaskParser parser, other;
  for (const OwnLine& line : lines) {
    check(line.text.find('\n') == std::string::npos, "a line is one");
    const Line view{line.text, line.too_long, line.number};
    const ParsedLine parsed = parser.parse(view, line.number);
    check_parsed(parsed, line);
    if (const auto* record = std::get_if<RecordLines>(&parsed)) {
      check_record(parser, *record, line);
    }
    check(other.parse(view, 0).index() == parsed.index(), "what came before changes nothing");
  }
  return 0;
}

}  // namespace fetchline::fuzz
