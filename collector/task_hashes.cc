#include "collector/task_hashes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/task_hash.h"

namespace fetchline {

TaskHashes::TaskHashes(std::string path, Index count) : file_(AppendFile::open(std::move(path))) {
  const std::uint64_t wanted = count * sizeof(std::uint64_t);
  file_.cut(std::min(file_.size(), wanted) / sizeof(std::uint64_t) * sizeof(std::uint64_t));
  file_.cut(wanted);  // what lacks reads as zeros
}

void TaskHashes::append(std::uint64_t hash) {
  file_.tail().append(reinterpret_cast<const char*>(&hash), sizeof hash);
}

std::vector<std::uint64_t> TaskHashes::read(Index first, std::size_t count) const {
  const std::string bytes =
      file_.read(first * sizeof(std::uint64_t), count * sizeof(std::uint64_t));
  std::vector<std::uint64_t> hashes(bytes.size() / sizeof(std::uint64_t));
  if (hashes.empty()) return hashes;  // data() may be null then
  std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(std::uint64_t));
  return hashes;
}

std::optional<std::uint64_t> TaskHashes::chain() const {
  constexpr std::size_t kAtOnce = 65'536;
  std::uint64_t chain = 0;
  for (Index first = 0;; first += kAtOnce) {
    const std::vector<std::uint64_t> hashes = read(first, kAtOnce);
    for (const std::uint64_t hash : hashes) {
      if (hash == 0) return std::nullopt;
      chain = chained_hash(chain, hash);
    }
    if (hashes.size() < kAtOnce) return chain;
  }
}

}  // namespace fetchline
