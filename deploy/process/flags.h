// The kinds of flags our programs have, around CLI11. For mains and the roles' *_flags.cc, which
// call these with references into their options; a flag's default is what stands there then.
//
// `names` is CLI11's: "-j,--concurrency". The text is one line for --help, without the default.
// A flag given twice: the last counts; a list gathers all. A value that does not fit throws
// CLI::ValidationError from parsing, "--window: \"abc\" is not a number", which Program reports.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deploy/process/verdict.h"

// CLI11 is one large header; only what calls into it includes it.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fetchline {

// What is wrong with one value, thrown by the function given to parsed_option.
class BadValue : public std::runtime_error {
 public:
  BadValue(std::string_view value, std::string_view reason);  // "\"abc\" is not a number"
};

// The flags added from here on are listed in --help under `title`.
void flag_group(CLI::App& app, const std::string& title);

// Any flag with a value: `set` takes it or throws BadValue. `kind` is how --help calls the value;
// `preset` is the default as --help shows it, empty for none.
CLI::Option* parsed_option(CLI::App& app, const std::string& names, const std::string& kind,
                           const std::string& text, const std::string& preset,
                           std::function<void(const std::string&)> set);

// A flag without a value. "--location,!--no-location": the second name says false.
CLI::Option* switch_option(CLI::App& app, const std::string& names, bool& value,
                           const std::string& text);

CLI::Option* text_option(CLI::App& app, const std::string& names, std::string& value,
                         const std::string& kind, const std::string& text);
CLI::Option* text_option(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                         const std::string& kind, const std::string& text);

// Repeatable, one value each time; without dashes in `names` it takes the arguments that are left.
CLI::Option* list_option(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                         const std::string& kind, const std::string& text);

// Bytes: "256M".
CLI::Option* size_option(CLI::App& app, const std::string& names, std::uint64_t& bytes,
                         const std::string& text);

// Time: seconds, or with ms, s, m, h. Into whole seconds it is rounded up.
CLI::Option* seconds_option(CLI::App& app, const std::string& names,
                            std::chrono::milliseconds& value, const std::string& text);
CLI::Option* seconds_option(CLI::App& app, const std::string& names, std::chrono::seconds& value,
                            const std::string& text);

// --key, --authorized-keys and --insecure-plaintext, for what talks to other processes.
void key_options(CLI::App& app, std::string& key, std::string& authorized,
                 bool& insecure_plaintext);

// --fail-on any|never|N|P%.
CLI::Option* fail_on_option(CLI::App& app, FailOn& rule);

// A whole number of any unsigned type, least and most included.
[[nodiscard]] std::uint64_t count_in(std::string_view value, std::uint64_t least,
                                     std::uint64_t most);  // throws BadValue
template <std::unsigned_integral T>
CLI::Option* count_option(CLI::App& app, const std::string& names, T& value,
                          const std::string& text, T least = 0,
                          T most = std::numeric_limits<T>::max()) {
  return parsed_option(app, names, "N", text, std::to_string(value),
                       [&value, least, most](const std::string& given) {
                         value = static_cast<T>(count_in(given, least, most));
                       });
}

// One word of a few, each standing for a value.
template <class T>
using Choices = std::vector<std::pair<std::string, T>>;
template <class T>
CLI::Option* choice_option(CLI::App& app, const std::string& names, T& value,
                           const std::string& text, const Choices<T>& choices) {
  std::string words, preset;
  for (const auto& [word, meaning] : choices) {
    words += (words.empty() ? "" : "|") + word;
    if (meaning == value) preset = word;
  }
  return parsed_option(app, names, "WORD", text + ": " + words, preset,
                       [&value, words, choices](const std::string& given) {
                         for (const auto& [word, meaning] : choices) {
                           if (word == given) {
                             value = meaning;
                             return;
                           }
                         }
                         throw BadValue(given, "is not one of " + words);
                       });
}

}  // namespace fetchline
