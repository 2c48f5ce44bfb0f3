#include "deploy/process/config_file.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "deploy/process/usage_error.h"

namespace fetchline {
namespace {

struct Line {
  std::string text;       // without its comment
  int open_brackets = 0;  // brackets opened less those closed, outside quotes
};

// CLI11 2.1 cuts a line at the first '#', also inside quotes, where passwords have them.
Line without_comment(std::string_view text) {
  Line line;
  char quote = '\0';
  std::size_t at = 0;
  for (; at < text.size() && (quote != '\0' || text[at] != '#'); ++at) {
    const char c = text[at];
    if (quote == '"' && c == '\\') {
      ++at;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == ']') {
      line.open_brackets += c == '[' ? 1 : -1;
    }
  }
  line.text = text.substr(0, at);
  return line;
}

// The file with a list over several lines made one: CLI11 2.1 loses it when the first is just "[".
std::string read_cleaned(const std::string& path) {
  std::ifstream file(path);
  std::string cleaned, text;
  int open_brackets = 0;
  while (std::getline(file, text)) {
    const Line line = without_comment(text);
    open_brackets += line.open_brackets;
    cleaned.append(line.text).append(open_brackets > 0 ? " " : "\n");
  }
  if (!file.is_open() || file.bad()) {
    throw UsageError(path, "cannot be read: " + std::generic_category().message(errno));
  }
  if (open_brackets != 0) throw UsageError(path, "has a \"[\" or a \"]\" too many");
  return cleaned;
}

std::string full_name(const CLI::ConfigItem& item) {
  std::string name;
  for (const std::string& parent : item.parents) name += parent + ".";
  return name + item.name;
}

}  // namespace

std::vector<ConfigEntry> read_config_file(const std::string& path) {
  std::istringstream text(read_cleaned(path));
  CLI::ConfigTOML reader;
  reader.comment('\0');
  std::vector<ConfigEntry> entries;
  for (CLI::ConfigItem& item : reader.from_config(text)) {
    if (item.name == "++" || item.name == "--") continue;  // a section begins, ends
    entries.push_back({full_name(item), std::move(item.inputs)});
  }
  return entries;
}

}  // namespace fetchline
