// --help as people read it: one line a flag, in groups, at most 100 columns.
//
//     How hard:
//       -j, --concurrency N     transfers at once in a worker [50]
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace fetchline {

// The group of the flags that every program has; it comes last.
inline constexpr const char* kTalkGroup = "Talk";

class HelpText final : public CLI::FormatterBase {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name,
                                      CLI::AppFormatMode mode) const override;
};

}  // namespace fetchline
