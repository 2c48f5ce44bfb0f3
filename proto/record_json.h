// The output record: one line of NDJSON a result, fields and their order as users were promised.
#pragma once

#include <string>
#include <string_view>

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

}  // namespace fetchline
