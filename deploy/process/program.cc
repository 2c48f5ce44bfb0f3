#include "deploy/process/program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "deploy/process/config_file.h"
#include "deploy/process/help.h"
#include "deploy/process/printable.h"
#include "deploy/process/status_line.h"

namespace fetchline {
namespace {

constexpr const char* kVariablePrefix = "FETCHLINE_";

std::string variable_of(std::string flag) {
  std::ranges::transform(flag, flag.begin(), [](char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return kVariablePrefix + flag;
}

// Kubernetes sets FETCHLINE_PRODUCER_PORT and the like for a service called fetchline-producer.
bool is_of_kubernetes(std::string_view variable) {
  return variable.ends_with("_PORT") || variable.find("_PORT_") != std::string_view::npos ||
         variable.find("_SERVICE_") != std::string_view::npos;
}

std::string place_of(const std::string& path, const ConfigEntry& entry) {
  return entry.line == 0 ? path : path + ":" + std::to_string(entry.line);
}

std::string variable_value(const std::string& flag) {
  const char* const value = std::getenv(variable_of(flag).c_str());
  return value == nullptr ? "" : value;
}

bool is_a_switch(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// CLI11's texts begin with the flag, in one way or another; ours do in one way.
std::string reason_of(const CLI::Error& error, const CLI::Option& option) {
  const std::string text = error.what(), name = option.get_name() + ": ";
  const bool is_switch = is_a_switch(option);
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    const std::string value = option.results().empty() ? "" : option.results().back();
    return BadValue(value, is_switch ? "is neither true nor false" : "is not valid").what();
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return is_switch ? "takes no value" : "needs a value";
  return text.starts_with(name) ? text.substr(name.size()) : text;
}

// The flag an error of CLI11's is about; it knows, but tells only in prose, at times without
// dashes.
const CLI::Option* option_named_in(const CLI::App& app, const std::string& text) {
  const auto* const first = app.get_option_no_throw("--" + text.substr(0, text.find(' ')));
  if (first != nullptr) return first;
  for (const CLI::Option* option : app.get_options()) {
    const auto at = text.find(option->get_name());
    if (at == std::string::npos) continue;
    const auto after = text.substr(at + option->get_name().size());
    if (after.empty() || after.front() == ':' || after.front() == ' ') return option;
  }
  return nullptr;
}

UsageError usage_error_from(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::string extra = printable(app.remaining().front());
    const std::string flag = extra.substr(0, extra.find('='));
    return {flag, flag.starts_with('-') ? "no such flag" : "not expected here"};
  }
  const CLI::Option* const option = option_named_in(app, error.what());
  if (option == nullptr) return {"command line", printable(error.what())};
  return {option->get_name(), reason_of(error, *option)};
}

// As if the values had been on the command line; `source` is who is named when they are wrong.
void give(CLI::Option& option, const std::string& name, const std::vector<std::string>& values,
          const std::string& source) {
  try {
    for (const std::string& value : values) {
      option.add_result(is_a_switch(option) ? option.get_flag_value(name, value) : value);
    }
    option.run_callback();
  } catch (const CLI::Error& error) {
    throw UsageError(source, reason_of(error, option));
  }
}

}  // namespace

Program::Program(const std::string& name, const std::string& purpose)
    : app_(std::make_unique<CLI::App>(purpose, name)) {
  log_.program = name;
  app_->formatter(std::make_shared<HelpText>());
  app_->option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  add_talk_flags();
}

Program::~Program() = default;

void Program::add_talk_flags() {
  flag_group(*app_, kTalkGroup);
  choice_option(*app_, "--progress", progress_, "what to show while working",
                {{"auto", ProgressMode::automatic},
                 {"bar", ProgressMode::bar},
                 {"lines", ProgressMode::lines},
                 {"json", ProgressMode::json},
                 {"none", ProgressMode::none}});
  switch_option(*app_, "-q,--quiet", log_.quiet, "only errors on stderr");
  switch_option(*app_, "-v,--verbose", log_.verbose, "say more on stderr");
  choice_option(*app_, "--log-format", log_.json, "how to write the log",
                {{"text", false}, {"json", true}});
  text_option(*app_, "--http", http_, "ADDR:PORT",
              "answer /ping /ready /metrics /status and / there");
  text_option(*app_, "--config", config_path_, "FILE", "TOML, every long flag is a key")
      ->configurable(false);
  app_->set_help_flag("-h,--help", "show this")->configurable(false)->group(kTalkGroup);
  app_->set_version_flag("-V,--version", log_.program + " " FETCHLINE_VERSION, "show the version")
      ->configurable(false);
  flag_group(*app_, "Flags");
}

void Program::example(const std::string& command) {
  const std::string before = app_->get_footer().empty() ? "Examples:\n" : app_->get_footer();
  app_->footer(before + "  " + command + "\n");
}

std::optional<ExitCode> Program::parse(int argc, const char* const* argv) {
  try {
    parse_command_line(argc, argv);
    add_from_environment();
    add_from_file();
    check_required();
    warn_of_unknown_variables();
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return ExitCode::ok;
  } catch (const CLI::CallForVersion& version) {
    std::puts(version.what());
    return ExitCode::ok;
  } catch (const UsageError& error) {
    return report(error);
  }
  return std::nullopt;
}

ExitCode Program::report(const UsageError& error) const {
  write_stderr(name() + ": " + printable(error.what()) + "\nTry '" + name() + " --help'.\n");
  return ExitCode::usage;
}

ProgressMode Program::progress() const {
  return resolve_progress(progress_, stderr_is_terminal(), log_.quiet);
}

// CLI11 could read environment and file too, but in the wrong order (the file first) and with
// errors that do not say where the value came from.
void Program::parse_command_line(int argc, const char* const* argv) {
  for (CLI::Option* option : app_->get_options({})) {
    option->disable_flag_override(is_a_switch(*option));
    if (!option->get_required()) continue;
    required_.push_back(option);
    option->required(false);
  }
  try {
    app_->parse(argc, argv);
    // In the environment and the file a switch has a value.
    for (CLI::Option* option : app_->get_options({})) option->disable_flag_override(false);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError& error) {
    throw usage_error_from(*app_, error);
  }
}

void Program::add_from_environment() {
  if (config_path_.empty()) config_path_ = variable_value("config");
  for (CLI::Option* option : app_->get_options({})) {
    if (!option->get_configurable() || option->count() > 0) continue;
    for (const std::string& name : option->get_lnames()) {
      const std::string value = variable_value(name);
      if (!value.empty()) give(*option, name, {value}, variable_of(name));
    }
  }
}

void Program::add_from_file() {
  if (config_path_.empty()) return;
  // By option, not by key: a list may be spread over the file, and --no-x is --x.
  std::map<CLI::Option*, std::vector<ConfigEntry>> given;
  for (ConfigEntry& entry : read_config_file(config_path_)) {
    CLI::Option* const option = app_->get_option_no_throw("--" + entry.key);
    if (option == nullptr || !option->get_configurable()) {
      throw UsageError(place_of(config_path_, entry),
                       "\"" + printable(entry.key) + "\" is not a known key");
    }
    if (option->count() == 0) given[option].push_back(std::move(entry));
  }
  for (const auto& [option, entries] : given) {
    for (const ConfigEntry& entry : entries) {
      give(*option, entry.key, entry.values, place_of(config_path_, entry) + ": " + entry.key);
    }
  }
}

// A typing error in one would else go unnoticed: nothing refuses it, and the default stands.
void Program::warn_of_unknown_variables() {
  std::set<std::string> known = {variable_of("config")};
  for (const CLI::Option* option : app_->get_options({})) {
    for (const std::string& name : option->get_lnames()) known.insert(variable_of(name));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const std::string name(variable.substr(0, variable.find('=')));
    if (!name.starts_with(kVariablePrefix) || known.contains(name) || is_of_kubernetes(name)) {
      continue;
    }
    warnings_.push_back(printable(name) + " is set, but " + log_.program + " has no such flag");
  }
}

void Program::check_required() const {
  for (const CLI::Option* option : required_) {
    if (option->count() == 0) throw UsageError(option->get_name(), "is required");
  }
}

}  // namespace fetchline
