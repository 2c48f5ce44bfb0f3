// What the targets of the three cores share: small numbers, and a look into what a core says.
#pragma once

#include <chrono>
#include <utility>
#include <variant>

#include "proto/codec.h"
#include "proto/instant.h"
#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {

inline constexpr std::uint8_t kIndices = 12;  // few, so that events meet

// Whatever a core says can be read by its peers.
inline Received heard(Frames frames) {
  auto decoded = decode(std::move(frames));
  check(std::holds_alternative<Received>(decoded), "what is said can be decoded");
  return std::get<Received>(std::move(decoded));
}

// Around the bounds that the protocol has: 2 ms, 10 ms, 0.3, 1, 3, 5 and 10 s, and beyond them all.
inline Duration time_step(Bytes& input) {
  using std::chrono::milliseconds;
  constexpr milliseconds kSteps[] = {milliseconds(0),      milliseconds(1),     milliseconds(2),
                                     milliseconds(10),     milliseconds(300),   milliseconds(1'000),
                                     milliseconds(1'100),  milliseconds(3'000), milliseconds(5'000),
                                     milliseconds(11'000), milliseconds(80'000)};
  return kSteps[input.below(std::size(kSteps))];
}

inline Index small_index(Bytes& input) { return input.below(kIndices); }

inline IndexSet small_set(Bytes& input) {
  IndexSet set;
  for (std::uint64_t bits = input.number(2), index = 0; bits != 0; bits >>= 1U, ++index) {
    if ((bits & 1U) != 0) set.insert(index);
  }
  return set;
}

}  // namespace fetchline::fuzz
