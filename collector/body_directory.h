// The directory of --output-dir: a file for each body, and which files in it are not ours.
//
// A name is only ever created (O_EXCL), never opened: nothing is followed, truncated or written
// through. What may be replaced is unlinked first. No descriptor but the directory's stays open.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "proto/file_descriptor.h"

namespace fetchline {

// Owned and called by the collector's loop thread. Errors are thrown as BodyError, which names
// the file; a body that was not written whole has left nothing and may be written again.
class BodyDirectory {
 public:
  enum class Existing { refuse, overwrite };

  explicit BodyDirectory(std::string path, Existing existing);  // made when it is not there

  // Notes in the file `list` what is here before the first body, for runs that resume this one; or
  // when an earlier process has done that, takes its word: everything else is ours to replace.
  void distinguish(const std::string& list);
  void forget_list();  // nothing will be resumed

  void write(const std::string& name, std::string_view body);
  // What an earlier process may have left under a name that is not needed now.
  void discard(const std::string& name) noexcept;
  [[nodiscard]] bool has(const std::string& name) const;

  // Everything that was written is on the disk, with its name.
  void sync();

  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  [[nodiscard]] FileDescriptor create(const std::string& name);
  [[nodiscard]] bool may_replace(const std::string& name) const;
  [[nodiscard]] std::string names() const;
  void remove(const std::string& name);

  std::string path_;
  FileDescriptor directory_;
  bool overwrites_;
  bool resumed_ = false;
  std::unordered_set<std::string> earlier_;  // when resumed: not ours
  std::string list_;
};

}  // namespace fetchline
