// When to say that peers send what makes no sense. Pure; owned by a role's loop thread.
//
// A line for each peer when it begins, then at most one every ten seconds with the count since.
// Strangers are many and cheap: beyond kPeers they are counted as one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/instant.h"

namespace fetchline {

class NonsenseWatch {
 public:
  static constexpr std::chrono::seconds kEvery{10};
  static constexpr std::size_t kPeers = 16;

  // A message was dropped. `peer`: its address, or who it is supposed to be; may be empty. `why`
  // lives for ever.
  void add(const std::string& peer, std::string_view why);

  // Once a turn: the lines to log, as warnings.
  [[nodiscard]] std::vector<std::string> due_lines(Instant now);

 private:
  struct Count {
    std::uint64_t dropped = 0;  // since the last line
    std::string_view why;       // the last
    Instant said{};
  };
  std::map<std::string, Count> peers_;  // forgotten when nothing came for kEvery
};

}  // namespace fetchline
