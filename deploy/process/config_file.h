// Reads a --config FILE: TOML with flat keys, one for every long flag. Any thread; reads the file
// once and keeps nothing.
//
//     concurrency = 200          # numbers, true and false
//     memory = "512M"
//     header = ["Accept: text/html", "X-Team: crawl"]
//
// CLI11's reader does the work. What it does not know: escapes such as \n, multi-line strings.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fetchline {

struct ConfigEntry {
  std::string key;                  // "section.key" when it stands in a section
  std::vector<std::string> values;  // in order; a key given twice is two entries or one
  std::size_t line = 0;             // of the file, from 1, where the key stands
};

// Throws UsageError naming the file, with --config when it cannot be read, and with the line where
// there is one when that is no TOML.
[[nodiscard]] std::vector<ConfigEntry> read_config_file(const std::string& path);

}  // namespace fetchline
