// Directories, as far as what is in them must survive the loss of power.
#pragma once

#include <string>

namespace fetchline {

// The names in it are on the disk. Throws OutputError. Some network and FUSE file systems cannot
// do that and say so; that is no error.
void sync_directory(const std::string& directory);
void sync_directory_of(const std::string& path);  // the one that `path` is in

}  // namespace fetchline
