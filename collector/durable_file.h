// A small file that is written in one go and must be whole or not there, after power loss too.
#pragma once

#include <string>
#include <string_view>

namespace fetchline {

[[nodiscard]] std::string temporary_path(const std::string& path);

// A temporary beside `path`, fdatasync, rename, fsync of the directory. Blocks on the disk. Throws
// OutputError and leaves no temporary behind.
void write_durable_file(const std::string& path, std::string_view bytes);

// All of `bytes`; the errno, 0 when all is well.
[[nodiscard]] int write_all(int fd, std::string_view bytes);

}  // namespace fetchline
