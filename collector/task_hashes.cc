#include "collector/task_hashes.h"

#include <cstring>
#include <utility>

namespace fetchline {

TaskHashes::TaskHashes(std::string path, Index count)
    : file_(std::move(path), AppendFile::Existing::open) {
  const std::uint64_t wanted = count * sizeof(std::uint64_t);
  if (file_.size() > wanted) file_.cut(wanted);
  if (file_.size() % sizeof(std::uint64_t) != 0) file_.cut(file_.size() / 8 * 8);
  while (file_.size() < wanted) append(0);
  file_.flush();
}

void TaskHashes::append(std::uint64_t hash) {
  file_.append({reinterpret_cast<const char*>(&hash), sizeof hash});
}

std::vector<std::uint64_t> TaskHashes::read(Index first, std::size_t count) const {
  const std::string bytes =
      file_.read(first * sizeof(std::uint64_t), count * sizeof(std::uint64_t));
  std::vector<std::uint64_t> hashes(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(std::uint64_t));
  return hashes;
}

}  // namespace fetchline
