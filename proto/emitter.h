// Applies --emit: the lines that a body gives to the next stage. Pure but for the memory it keeps
// between bodies; one thread at a time. Fails for no bytes: why a rule could not be applied is a
// text in what comes out. The same body always gives the same lines.
#pragma once

#include <memory>
#include <string_view>

#include "proto/emit_rule.h"
#include "proto/emitted.h"
#include "proto/result.h"

namespace simdjson::dom {
class parser;
}  // namespace simdjson::dom

namespace fetchline {

// The lines of a text that is an input, without blank ones and comments. `what` it is, for the
// error: it is not UTF-8, or is more than kMaxEmitBytes of lines.
[[nodiscard]] Emitted input_lines(std::string_view text, std::string_view what);

class Emitter {
 public:
  explicit Emitter(EmitRule rule);
  ~Emitter();
  Emitter(Emitter&&) noexcept;
  Emitter& operator=(Emitter&&) noexcept;

  // `url`: where the body came from in the end.
  [[nodiscard]] Emitted lines_of(std::string_view body, std::string_view url);

  // Sets result.emit. A result that is not ok emits nothing, and what a worker found out stays.
  void apply(Result& result);

 private:
  [[nodiscard]] Emitted at_pointer(std::string_view body);

  EmitRule rule_;
  std::unique_ptr<simdjson::dom::parser> json_;
};

}  // namespace fetchline
