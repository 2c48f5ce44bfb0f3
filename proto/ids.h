// The names that processes use for each other and for a job. Values; free of threads and I/O.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

// Position of a task in the input, counted from 0. Below 2^40 (kMaxIndex), so that a hostile peer
// cannot make a window of any size overflow.
using Index = std::uint64_t;
inline constexpr Index kMaxIndex = Index{1} << 40;

// Tasks between the oldest that is not out and the newest handed out. At most so many that what a
// collector keeps of each, some hundred bytes, stays far below the memory of a machine.
inline constexpr Index kDefaultWindow = 100'000;
inline constexpr Index kMostWindow = 10'000'000;

// One run over one input. 128 random bits, drawn by the producer. All zero means "none yet".
struct JobId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const JobId&) const = default;
  [[nodiscard]] bool is_none() const { return *this == JobId{}; }
};
[[nodiscard]] JobId random_job_id();
[[nodiscard]] std::string to_string(const JobId& job);  // 32 hex digits
[[nodiscard]] std::optional<JobId> parse_job_id(std::string_view hex);

// Incarnation of a job's producer, granted by the collector; 0 before it is granted.
enum class Epoch : std::uint32_t {};

// Incarnation of a worker process, drawn at its start.
enum class WorkerId : std::uint64_t {};

// Incarnation of a collector process, drawn at its start.
enum class BootId : std::uint64_t {};

// The routing id that a ROUTER gave to a connection; new with every connection.
using PeerId = std::string;

[[nodiscard]] std::uint64_t random_u64();  // from the kernel's random source; never 0

}  // namespace fetchline
