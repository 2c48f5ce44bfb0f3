// Turns a line of input into a task. The input formats are the users' contract: a plain URL, or a
// JSON object, a line; or a record of an earlier stage, which stands for the lines that it emits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "producer/line_reader.h"
#include "proto/emitter.h"
#include "proto/task.h"

namespace simdjson::dom {
class object;
class parser;
}  // namespace simdjson::dom

namespace fetchline {

// A blank line or a comment; takes no index.
struct Skip {};

// A line that cannot be a task. It takes its index and comes out as a record, so that the order of
// the input is never shifted.
struct InvalidTask {
  Index index = 0;
  std::uint64_t line_number = 0;
  std::uint64_t emitted = 0;  // which line of the record in that line; 0: no record's
  std::string reason;         // goes into the record's errormsg
  std::string url;            // its `url`, or the line; at most 2 KiB, valid UTF-8
  std::string id;             // as far as it could be read
  std::string meta;           // as far as it could be read
  std::uint64_t hash = 0;     // as a task's: of the line
};

// What a record emits: lines that are parsed as if they stood in the input instead of it. None of
// them may be a record itself.
struct RecordLines {
  std::string lines;  // each with a newline at its end
};

// "line 3: no scheme", "line 3, emit 2: no scheme": the errormsg of the record.
[[nodiscard]] std::string errormsg_of(const InvalidTask& invalid);

using ParsedLine = std::variant<Skip, Task, InvalidTask, RecordLines>;

// Pure but for the memory it keeps between lines; one thread at a time. Fails for no bytes.
class TaskParser {
 public:
  // `rule`: of records that do not say themselves what they emit.
  explicit TaskParser(EmitRule rule = {});
  ~TaskParser();
  TaskParser(TaskParser&&) noexcept;
  TaskParser& operator=(TaskParser&&) noexcept;

  // `index` is the one that this line gets unless it is passed over.
  [[nodiscard]] ParsedLine parse(const Line& line, Index index);

 private:
  [[nodiscard]] ParsedLine parse_content(const Line& line, Index index, std::string_view text);
  [[nodiscard]] ParsedLine parse_object(const Line& line, Index index, std::string_view text);

  [[nodiscard]] ParsedLine parse_record(const Line& line, Index index,
                                        const simdjson::dom::object& record);

  std::unique_ptr<simdjson::dom::parser> json_;
  Emitter emitter_;
};

}  // namespace fetchline
