// Which sink a format has.
#pragma once

#include <memory>

#include "collector/collector_options.h"
#include "collector/result_sink.h"

namespace fetchline {

// Throws OutputError.
[[nodiscard]] std::unique_ptr<ResultSink> open_sink(const CollectorOptions& options);

}  // namespace fetchline
