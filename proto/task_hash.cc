#include "proto/task_hash.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>

namespace fetchline {

static_assert(std::endian::native == std::endian::little, "hashes are of bytes as they are");

std::uint64_t plain_task_hash(std::string_view url) {
  const std::uint64_t hash = XXH3_64bits(url.data(), url.size());
  return std::max<std::uint64_t>(2, hash & ~std::uint64_t{1});
}

std::uint64_t other_task_hash(std::string_view line) {
  return XXH3_64bits(line.data(), line.size()) | 1;
}

std::uint64_t chained_hash(std::uint64_t chain, std::uint64_t task_hash) {
  return XXH3_64bits_withSeed(&task_hash, sizeof task_hash, chain);
}

}  // namespace fetchline
