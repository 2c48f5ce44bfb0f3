// The output record: one line of NDJSON a result, fields and their order as users were promised.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proto/json_text.h"
#include "proto/result.h"

namespace fetchline {

struct RecordOptions {
  bool body = true;     // --no-body leaves out `body` and `body_base64`
  bool headers = true;  // --no-headers leaves out `headers`
};

// Appends the record of `result` and a newline. Pure, never fails, any thread. The line is valid
// JSON whatever bytes an origin sent. The one field taken on trust is `meta`, which goes out byte
// for byte: it is JSON text on one line because the task parser wrote it so. `file` is the name of
// the file that the body is in, if it is in one.
void append_record(std::string& out, const Result& result, RecordOptions options = {},
                   std::string_view file = {});

// The same record, whole, piece by piece: for who has no room for a second copy of the body. The
// result outlives it and stays as it is. One owner.
class RecordPieces {
 public:
  static constexpr std::size_t kBodyBytes = kBase64Group * 16 * 1024;  // of the body, in a piece

  explicit RecordPieces(const Result& result);
  // Appends the next piece. False: there is none any more.
  [[nodiscard]] bool append_next(std::string& out);

 private:
  const Result* result_;  // null when all of it is out
  bool is_utf8_;
  bool begun_ = false;
  std::string_view body_;  // what is left of it
};

}  // namespace fetchline
