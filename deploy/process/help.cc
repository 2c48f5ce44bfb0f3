#include "deploy/process/help.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace fetchline {
namespace {

constexpr std::size_t kTextColumn = 32, kLastColumn = 100;

std::vector<const CLI::Option*> flags_of(const CLI::App& app, const std::string& group) {
  return app.get_options([&group](const CLI::Option* option) {
    return option->nonpositional() && option->get_group() == group;
  });
}

std::vector<std::string> groups_of(const CLI::App& app) {
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    const std::string& group = option->get_group();
    const bool known = std::ranges::find(groups, group) != groups.end();
    if (!known && !group.empty() && option->nonpositional() && group != kTalkGroup) {
      groups.push_back(group);
    }
  }
  groups.emplace_back(kTalkGroup);
  return groups;
}

// "  -j, --concurrency N"; a flag that exists only as its negation is written as that.
std::string names_of(const CLI::Option& option) {
  std::string names =
      option.get_snames().empty() ? "    " : "-" + option.get_snames().front() + ", ";
  const char* separator = "";
  for (const std::string& name : option.get_lnames()) {
    names.append(separator).append("--").append(name);
    separator = "/";
  }
  if (option.get_lnames().empty()) names.resize(2);
  if (option.get_items_expected_max() > 0) names.append(" ").append(option.get_type_name());
  return "  " + names;
}

std::string text_of(const CLI::Option& option) {
  const std::string preset = option.get_default_str();
  const std::string& text = option.get_description();
  return preset.empty() || preset == "[]" ? text : text + " [" + preset + "]";
}

// The text from kTextColumn on, broken between words.
void append_wrapped(std::string& help, std::string_view text) {
  std::size_t column = kTextColumn;
  while (!text.empty()) {
    const std::size_t word_end = std::min(text.find(' '), text.size());
    if (column > kTextColumn && column + 1 + word_end > kLastColumn) {
      help.append("\n").append(kTextColumn, ' ');
      column = kTextColumn;
    } else if (column > kTextColumn) {
      help += ' ';
      ++column;
    }
    help += text.substr(0, word_end);
    column += word_end;
    text.remove_prefix(std::min(word_end + 1, text.size()));
  }
  help += '\n';
}

void append_option(std::string& help, const CLI::Option& option) {
  std::string names = names_of(option);
  if (names.size() + 2 > kTextColumn) names.append("\n").append(kTextColumn, ' ');
  const std::size_t missing = names.size() < kTextColumn ? kTextColumn - names.size() : 0;
  help.append(names).append(missing, ' ');
  append_wrapped(help, text_of(option));
}

std::string usage_line(const CLI::App& app) {
  std::string usage = "Usage: " + app.get_name() + " [flags]";
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() || !option->get_positional()) continue;
    usage += " [" + option->get_name(true) + (option->get_items_expected_max() > 1 ? "...]" : "]");
  }
  return usage + "\n";
}

}  // namespace

std::string HelpText::make_help(const CLI::App* app, std::string /*name*/,
                                CLI::AppFormatMode /*mode*/) const {
  std::string help = usage_line(*app) + app->get_description() + "\n";
  for (const std::string& group : groups_of(*app)) {
    const auto flags = flags_of(*app, group);
    if (flags.empty()) continue;
    help += "\n" + group + ":\n";
    for (const CLI::Option* option : flags) append_option(help, *option);
  }
  return help + (app->get_footer().empty() ? "" : "\n" + app->get_footer());
}

}  // namespace fetchline
