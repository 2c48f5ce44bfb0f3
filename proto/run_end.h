// How a role's run() ended. Its main turns it into an exit code.
#pragma once

#include <cstdint>
#include <string>

#include "proto/result.h"

namespace fetchline {

struct RunEnd {
  enum class Kind : std::uint8_t {
    complete,     // the job is done and everybody who lives knows
    interrupted,  // a stop was asked for; what was in hand is finished or given back
    no_peer,      // somebody this role cannot work without did not come in time
    fenced,       // a newer producer of the same job took over
    forgotten,    // the collector's log is another: it lost what it had acknowledged
    other_input,  // the input is not the one that the job began with
  };
  Kind kind = Kind::complete;
  OutcomeCounts counts{};  // of a complete job; zeros at a worker
  std::string why{};       // for people; empty when complete
  // A finished output was to be resumed: nothing was left that could fail.
  bool was_done_before = false;
};

}  // namespace fetchline
