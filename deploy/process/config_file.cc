#include "deploy/process/config_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
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

std::string trimmed(std::string_view text) {
  constexpr const char* kAround = " \t\r\"'";
  const auto begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kAround) + 1 - begin));
}

struct Cleaned {
  struct Key {
    std::string name;
    std::size_t line;
  };
  std::string text;
  std::vector<Key> keys;  // where they stand, which CLI11 does not tell
};

// The file with a list over several lines made one: CLI11 2.1 loses it when the first is just "[".
Cleaned read_cleaned(const std::string& path) {
  std::ifstream file(path);
  Cleaned cleaned;
  std::string text;
  int open_brackets = 0;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    const Line line = without_comment(text);
    if (open_brackets == 0) {
      cleaned.keys.push_back({trimmed(line.text.substr(0, line.text.find('='))), number});
    }
    open_brackets += line.open_brackets;
    cleaned.text.append(line.text).append(open_brackets > 0 ? " " : "\n");
  }
  if (!file.is_open() || file.bad()) {
    throw UsageError("--config",
                     path + ": cannot be read: " + std::generic_category().message(errno));
  }
  if (open_brackets != 0) {
    throw UsageError(path + ":" + std::to_string(cleaned.keys.back().line),
                     "has a \"[\" or a \"]\" too many");
  }
  return cleaned;
}

std::string full_name(const CLI::ConfigItem& item) {
  std::string name;
  for (const std::string& parent : item.parents) name += parent + ".";
  return name + item.name;
}

}  // namespace

std::vector<ConfigEntry> read_config_file(const std::string& path) {
  const Cleaned cleaned = read_cleaned(path);
  std::istringstream text(cleaned.text);
  CLI::ConfigTOML reader;
  reader.comment('\0');
  std::vector<ConfigEntry> entries;
  auto next = cleaned.keys.begin();
  for (CLI::ConfigItem& item : reader.from_config(text)) {
    if (item.name == "++" || item.name == "--") continue;  // a section begins, ends
    const auto at = std::find_if(next, cleaned.keys.end(),
                                 [&](const auto& key) { return key.name == item.name; });
    if (at != cleaned.keys.end()) next = at;
    const std::size_t line = at == cleaned.keys.end() ? 0 : at->line;
    entries.push_back({full_name(item), std::move(item.inputs), line});
  }
  return entries;
}

}  // namespace fetchline
