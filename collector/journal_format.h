// What stands in a segment of the journal: entries one after the other, each a header of 48 bytes
// and a payload. Pure; fails for no bytes.
//
//     0   magic "FLJ1"           u32
//     4   payload's length       u32   all numbers little-endian
//     8   index, and kind        u64   the kind in the top byte
//     16  task's hash            u64
//     24  settled                u64
//     32  payload's hash         u64   XXH3, 64 bits
//     40  hash of bytes 0..39    u64   so that a length can be believed
//
// `settled`: so much of the segment, from its beginning, could not be torn any more when the entry
// was written. It tells what the writer did not finish from what was damaged later. A process that
// is killed leaves the front of what it wrote: everything before an entry is settled. After a loss
// of power any block may lack of what was written since the last fdatasync, and others be there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/ids.h"

namespace fetchline {

inline constexpr std::size_t kEntryHeaderBytes = 48;

// Where a result's payload stands.
struct JournalPlace {
  std::uint64_t offset = 0;
  std::uint32_t segment = 0;  // number, from 1
  std::uint32_t length = 0;   // 0: nowhere
};

struct EntryHead {
  enum class Kind : std::uint8_t { result = 1, control = 2 };
  Kind kind = Kind::result;     // may be none of these, in an entry of a later version
  Index index = 0;              // of a result
  std::uint64_t task_hash = 0;  // of a result
  std::uint64_t settled = 0;
};

struct JournalEntry {
  EntryHead head;
  std::string_view payload;

  [[nodiscard]] std::size_t bytes() const { return kEntryHeaderBytes + payload.size(); }
};

// Of what was appended to `to` from `begin` on, kEntryHeaderBytes and a payload, makes an entry.
void seal_entry(std::string& to, std::size_t begin, const EntryHead& head);

// `put_payload` appends at most 4 GiB to the string it is given: a payload is not copied.
template <class PutPayload>
void append_entry(std::string& to, const EntryHead& head, PutPayload put_payload) {
  const std::size_t begin = to.size();
  to.append(kEntryHeaderBytes, '\0');
  put_payload(to);
  seal_entry(to, begin, head);
}

// The entry at the front of what is left of a segment; empty when that is not a whole one.
[[nodiscard]] std::optional<JournalEntry> parse_entry(std::string_view rest);

// Whether an entry in `rest`, which is what stands from `offset` on, was written when more than
// `offset` was settled: what is not whole at `offset` was whole once.
[[nodiscard]] bool was_settled(std::string_view rest, std::uint64_t offset);

}  // namespace fetchline
