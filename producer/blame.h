// Which tasks were running when a worker died: one of them may have killed it. Pure; part of the
// ledger.
//
// A task that ran in two workers that died is a suspect and runs alone from then on, so that the
// next death proves something. Those that merely stood beside a killer come through alone.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "proto/ids.h"

namespace fetchline {

class Blame {
 public:
  static constexpr std::size_t kSuspectAt = 2;  // deaths
  static constexpr std::size_t kGuiltyAt = 3;   // the last of them alone

  void add(Index index, WorkerId worker, const std::string& name);
  // The worker is alive after all. Returns what was blamed for it.
  std::vector<Index> take_back(WorkerId worker);
  void forget(Index index) {
    if (!deaths_.empty()) deaths_.erase(index);
  }

  [[nodiscard]] std::size_t deaths(Index index) const;
  [[nodiscard]] bool is_suspect(Index index) const { return deaths(index) >= kSuspectAt; }
  [[nodiscard]] std::string verdict(Index index) const;  // for the record of a guilty one

 private:
  struct Death {
    WorkerId worker;
    std::string name;
  };
  std::unordered_map<Index, std::vector<Death>> deaths_;  // no empty ones
};

}  // namespace fetchline
