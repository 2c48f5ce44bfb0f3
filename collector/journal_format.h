// What stands in a segment of the journal: entries one after the other, each a header of 40 bytes
// and a payload. Pure; fails for no bytes.
//
//     0   magic "FLJ1"           u32
//     4   payload's length       u32   all numbers little-endian
//     8   index, and kind        u64   the kind in the top byte
//     16  task's hash            u64
//     24  payload's hash         u64   XXH3, 64 bits
//     32  hash of bytes 0..31    u64   so that a length can be believed
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "proto/ids.h"

namespace fetchline {

inline constexpr std::size_t kEntryHeaderBytes = 40;

// Where a result's payload stands.
struct JournalPlace {
  std::uint64_t offset = 0;
  std::uint32_t segment = 0;  // number, from 1
  std::uint32_t length = 0;   // 0: nowhere
};

struct JournalEntry {
  enum class Kind : std::uint8_t { result = 1, control = 2 };
  Kind kind = Kind::result;
  Index index = 0;              // of a result
  std::uint64_t task_hash = 0;  // of a result
  std::string_view payload;     // at most 4 GiB

  [[nodiscard]] std::size_t bytes() const { return kEntryHeaderBytes + payload.size(); }
};

void append_entry(std::string& to, const JournalEntry& entry);

enum class EntryFault : std::uint8_t {
  torn,     // the writer did not finish it: it is the last thing there, and not whole
  damaged,  // it was whole once
};

// The entry at the front of what is left of a segment, which is not empty.
[[nodiscard]] std::variant<JournalEntry, EntryFault> parse_entry(std::string_view rest);

}  // namespace fetchline
