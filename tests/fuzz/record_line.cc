// Records: a line of any bytes is one or none, and what we write as a record reads back, whatever
// origins and users put into it. The input: the line; or, after a NUL, the texts of a result.
#include "proto/record_line.h"

#include <simdjson.h>

#include "proto/json_text.h"
#include "proto/record_json.h"
#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

Result result_of(Bytes& input) {
  Result result;
  result.index = input.number(6) % kMaxIndex;
  result.outcome = static_cast<Outcome>(input.below(kOutcomeCount));
  result.response_code = static_cast<std::int32_t>(input.number(4));
  result.time_total = std::chrono::microseconds(input.number(6));
  result.fetched_at = std::chrono::milliseconds(input.number(6));
  for (std::string* text :
       {&result.url, &result.id, &result.errormsg, &result.url_effective, &result.method,
        &result.content_type, &result.worker, &result.meta, &result.header_block}) {
    *text = input.text();
  }
  if (!result.meta.empty() && !is_json_on_one_line(result.meta)) result.meta.clear();
  if (input.flip())
    result.emit = {.lines = std::string(input.text()), .error = std::string(input.text())};
  result.body = input.take_all();
  return result;
}

void check_written(Bytes input) {
  const RecordOptions options{.body = input.flip(), .headers = input.flip()};
  const std::string file(input.text());
  const Result result = result_of(input);
  std::string line;
  append_record(line, result, options, file);
  check(line.ends_with('\n') && line.find('\n') == line.size() - 1, "a record is one line");
  line.pop_back();
  check(is_utf8(line), "a record is UTF-8");
  RecordReader reader;
  const auto head = reader.read(line);
  check(head.has_value(), "what was written is a record");
  check(head->index == result.index && head->outcome == result.outcome, "it is the same record");
  check(!is_utf8(result.url) || head->url == result.url, "it has the same URL");
  check(!is_utf8(file) || head->file == file, "it has the same file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == 0) {
    check_written({data + 1, size - 1});
    return 0;
  }
  RecordReader reader;
  const std::string_view line = Bytes(data, size).take_all();
  const auto head = reader.read(line);
  const bool is_record = head.has_value();
  if (is_record) {
    check(!to_string(head->outcome).empty(), "its outcome is one of ours");
    check(is_utf8(head->url) && is_utf8(head->file), "its texts are readable");
  }
  (void)reader.read("{");
  check(reader.read(line).has_value() == is_record, "what came before changes nothing");
  return 0;
}

}  // namespace fetchline::fuzz
