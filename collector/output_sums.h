// Checksums of an unfinished output, each of all its bytes up to a point, in a file beside its
// journal: a run that resumes finds out by them whether what is out is still what was written.
// Owned and called by the collector's loop thread.
//
// A line each, "BYTES SHA256", about a MiB or a second of records after the one before. They only
// vouch: where some are lost nothing is refused, and less is noticed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collector/append_file.h"
#include "proto/instant.h"

namespace fetchline {

struct OutputSum {
  std::uint64_t bytes = 0;
  std::string sha256;  // 64 hex digits, of all bytes before
};

// In ascending order; up to the first line that is not whole.
[[nodiscard]] std::vector<OutputSum> read_output_sums(const std::string& path);

class OutputSums {
 public:
  static constexpr std::uint64_t kApartBytes = std::uint64_t{1} << 20;
  static constexpr std::chrono::seconds kApart{1};

  // Goes on behind the sums of the first `bytes` bytes of the output; later ones are forgotten, as
  // what they vouched for is. Throws OutputError, as note() does.
  OutputSums(const std::string& path, std::uint64_t bytes);

  // Whether there is so much new that it is worth a sum; `at_once`: anything is.
  [[nodiscard]] bool is_due(std::uint64_t bytes, Instant now, bool at_once = false) const;
  void note(const OutputSum& sum, Instant now);  // its bytes are written

 private:
  AppendFile file_;
  std::uint64_t noted_bytes_ = 0;
  Instant noted_at_{};
};

}  // namespace fetchline
