// The output of a job that is done, read once more for the tasks that it came from: for a producer
// that asks whether it is the output of its own input. Owned by the collector's loop thread.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "proto/messages.h"
#include "proto/record_line.h"

namespace fetchline {

class FinishedOutput {
 public:
  explicit FinishedOutput(const std::string& path) : file_(path, std::ios::binary) {}

  // The hashes of a recap's tasks, as far as records tell them: of those that are plain URLs. Asked
  // for in order; 0 for what was asked for before.
  [[nodiscard]] std::vector<std::uint64_t> hashes_for(const Recap& recap);

 private:
  std::ifstream file_;
  RecordReader reader_;
  Index next_ = 0;
  std::string line_;
};

}  // namespace fetchline
