// Who looks at a program's --http pages, as curl would: one request a connection.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "proto/file_descriptor.h"

namespace fetchline {

struct Page {
  int status = 0;  // 0: no answer within kPatience
  std::string head, body;

  [[nodiscard]] bool ok() const { return status == 200; }
};

// Sends `request` as it is and reads until the other end closes.
[[nodiscard]] Page ask(std::uint16_t port, std::string_view request);
[[nodiscard]] Page get(std::uint16_t port, const std::string& path);
// Null when it does not answer.
[[nodiscard]] nlohmann::json status_of(std::uint16_t port);

// A connection that is open and says no more than this. Not open: it was refused.
[[nodiscard]] FileDescriptor connection_that_says(std::uint16_t port, std::string_view text);

}  // namespace fetchline
