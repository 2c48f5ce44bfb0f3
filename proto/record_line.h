// Reads back what record_json.h writes, as far as a restart needs it: which record it is and how
// it ended. Pure but for the memory it keeps between lines; one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace simdjson::dom {
class parser;
}  // namespace simdjson::dom

namespace fetchline {

struct RecordHead {
  Index index = 0;
  Outcome outcome = Outcome::cancelled;
  // Until the next read():
  std::string_view url;
  std::string_view file;  // that the body is in; empty: none
};

struct EmittedRecord {
  Index index = 0;
  Outcome outcome = Outcome::cancelled;
  std::optional<std::vector<std::string>> lines;  // its `emit`; empty: it has none
};

class RecordReader {
 public:
  RecordReader();
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Empty when the line, given without its newline, is no record.
  [[nodiscard]] std::optional<RecordHead> read(std::string_view line);
  // The same for another question: what goes on to the next stage.
  [[nodiscard]] std::optional<EmittedRecord> read_emitted(std::string_view line);

 private:
  std::unique_ptr<simdjson::dom::parser> json_;
};

}  // namespace fetchline
