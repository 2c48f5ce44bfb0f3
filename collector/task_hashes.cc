#include "collector/task_hashes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "collector/damaged.h"
#include "proto/task_hash.h"

namespace fetchline {
namespace {

struct Entry {
  std::uint64_t hash = 0;
  std::uint64_t chain = 0;  // up to and with it
};
static_assert(sizeof(Entry) == 16);

std::vector<Entry> entries_in(std::string_view bytes) {
  std::vector<Entry> entries(bytes.size() / sizeof(Entry));
  if (entries.empty()) return entries;  // data() may be null then
  std::memcpy(entries.data(), bytes.data(), entries.size() * sizeof(Entry));
  return entries;
}

}  // namespace

TaskHashes::TaskHashes(std::string path, Index count) : file_(AppendFile::open(std::move(path))) {
  recover(count);
  file_.cut(count * sizeof(Entry));
}

void TaskHashes::recover(Index count) {
  constexpr Index kAtOnce = 65'536;
  for (Index index = 0; index < count;) {
    const auto most = static_cast<std::size_t>(std::min(kAtOnce, count - index));
    const auto entries = entries_in(file_.read(index * sizeof(Entry), most * sizeof(Entry)));
    for (const Entry& entry : entries) {
      add(entry.hash);
      if (chain_ != entry.chain)
        throw DamagedError(file_.path(), index * sizeof(Entry), "not the task hash due here");
      ++index;
    }
    if (entries.size() == most) continue;
    throw DamagedError(file_.path(), index * sizeof(Entry),
                       "it ends here, and " + std::to_string(count) + " records are out");
  }
}

void TaskHashes::add(std::uint64_t hash) {
  chain_ = chained_hash(chain_, hash);
  all_known_ = all_known_ && hash != 0;
}

void TaskHashes::append(std::uint64_t hash) {
  add(hash);
  const Entry entry{hash, chain_};
  file_.tail().append(reinterpret_cast<const char*>(&entry), sizeof entry);
}

std::vector<std::uint64_t> TaskHashes::read(Index first, std::size_t count) const {
  std::vector<std::uint64_t> hashes;
  for (const Entry& entry : entries_in(file_.read(first * sizeof(Entry), count * sizeof(Entry)))) {
    hashes.push_back(entry.hash);
  }
  return hashes;
}

std::optional<std::uint64_t> TaskHashes::chain() const {
  return all_known_ ? std::optional(chain_) : std::nullopt;
}

}  // namespace fetchline
