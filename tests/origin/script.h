// What the origin answers to a request: pure, so that a test can ask for the body it expects.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace fetchline {

struct OriginRequest {
  std::string method;
  std::string target;
  std::string head;  // request line and header lines as they came
  std::string body;
};

struct OriginAnswer {
  enum class Ending { keep_alive, close, reset };

  std::chrono::milliseconds delay{0};
  bool hangs = false;                  // nothing is ever sent
  std::string head;                    // sent at once after the delay
  std::string body;                    // sent after it, or dripped
  std::chrono::milliseconds drip{0};   // time between two bytes of the body; 0: all at once
  Ending ending = Ending::keep_alive;  // what becomes of the connection afterwards
};

// `nth` counts the requests of this target, from 1.
[[nodiscard]] OriginAnswer answer_to(const OriginRequest& request, std::size_t nth);

// The decoded body that a whole answer to a GET of this target has.
[[nodiscard]] std::string origin_body(std::string_view target);

}  // namespace fetchline
