// The hash by which two runs know that a task is the same: of the text of its input line. Producers
// make it; collectors keep it, compare it, and can make that of a plain line from its record. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace fetchline {

// Of a line that is a URL and nothing else: even. Of any other line: odd. Never 0, which stands for
// "not known".
[[nodiscard]] std::uint64_t plain_task_hash(std::string_view url);
[[nodiscard]] std::uint64_t other_task_hash(std::string_view line);
[[nodiscard]] constexpr bool is_plain(std::uint64_t task_hash) { return task_hash % 2 == 0; }

// One number for the tasks of a whole input, in order: begin with 0, chain one hash after the
// other.
[[nodiscard]] std::uint64_t chained_hash(std::uint64_t chain, std::uint64_t task_hash);

}  // namespace fetchline
