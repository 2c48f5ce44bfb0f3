// What must hold whenever a worker meets an origin that does it wrong: one declared outcome in
// time, memory within bounds, the slot free again, and nothing of it in the next answer.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/collector/temporary_directory.h"
#include "tests/faults/hostile_origin.h"
#include "tests/integration/program.h"
#include "tests/integration/records.h"

namespace fetchline {

// A fetchline that is given URLs line by line, so many at once, and the CA of the test to believe.
class Meeting {
 public:
  static constexpr std::size_t kAtOnce = 8;
  static constexpr std::chrono::seconds kMaxTime{1};
  static constexpr std::chrono::seconds kSlack{1};
  static constexpr std::uint64_t kMaxGrowthBytes = std::uint64_t{16} << 20;

  explicit Meeting(const Args& flags = {});

  // kAtOnce good URLs of the origin, all at the same time.
  void fetch_good(const HostileOrigin& origin);
  // kAtOnce times this one. The outcome of each, all the same, and the first one's record.
  nlohmann::json fetch_bad(const std::string& url, const std::string& outcome);
  void expect_end();
  [[nodiscard]] std::uint64_t peak_memory_bytes() { return program_.peak_memory_bytes(); }
  [[nodiscard]] static const Authority& authority();

 private:
  Records fetch(const Args& urls);

  TemporaryDirectory directory_;
  RunningProgram program_;
  std::size_t count_ = 0;
};

struct Encounter {
  Act act;
  std::string outcome;
  std::string url = {};  // empty: "/bad" of the origin
  Args flags = {};
  std::optional<Identity> identity = std::nullopt;
  Clock::duration limit = Meeting::kMaxTime + Meeting::kSlack;
};
// All of it, with good URLs before and after. The record of the first that was bad.
nlohmann::json meet(Encounter encounter);

}  // namespace fetchline
