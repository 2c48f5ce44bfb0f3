#include "deploy/process/flags.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "deploy/process/printable.h"
#include "deploy/process/quantities.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds duration_in(const std::string& given) {
  const auto duration = parse_duration(given);
  if (!duration) throw BadValue(given, "is not a time, such as 10, 2.5s, 250ms, 3m or 1h");
  return *duration;
}

}  // namespace

BadValue::BadValue(std::string_view value, std::string_view reason)
    : std::runtime_error("\"" + printable(value) + "\" " + std::string(reason)) {}

void flag_group(CLI::App& app, const std::string& title) { app.option_defaults()->group(title); }

CLI::Option* parsed_option(CLI::App& app, const std::string& names, const std::string& kind,
                           const std::string& text, const std::string& preset,
                           std::function<void(const std::string&)> set) {
  // CLI11 does not tell the callback whose it is, and the option exists only after it.
  auto self = std::make_shared<CLI::Option*>(nullptr);
  CLI::Option* const option = app.add_option(
      names,
      [self, set = std::move(set)](const CLI::results_t& given) {
        try {
          set(given.back());
        } catch (const BadValue& bad) {
          throw CLI::ValidationError((*self)->get_name(), bad.what());
        }
        return true;
      },
      text);
  *self = option;
  return option->type_name(kind)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->default_str(preset);
}

CLI::Option* switch_option(CLI::App& app, const std::string& names, bool& value,
                           const std::string& text) {
  return app.add_flag(names, value, text)->default_str("");
}

CLI::Option* text_option(CLI::App& app, const std::string& names, std::string& value,
                         const std::string& kind, const std::string& text) {
  return parsed_option(app, names, kind, text, value,
                       [&value](const std::string& given) { value = given; });
}

CLI::Option* text_option(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                         const std::string& kind, const std::string& text) {
  return parsed_option(app, names, kind, text, value.value_or(""),
                       [&value](const std::string& given) { value = given; });
}

CLI::Option* list_option(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                         const std::string& kind, const std::string& text) {
  CLI::Option* const option = app.add_option(names, values, text)->type_name(kind);
  // Else "-H 'A: b' https://a.example/" would take the URL for a second header.
  if (option->nonpositional()) option->allow_extra_args(false);
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* size_option(CLI::App& app, const std::string& names, std::uint64_t& bytes,
                         const std::string& text) {
  return parsed_option(app, names, "SIZE", text, size_as_flag(bytes),
                       [&bytes](const std::string& given) {
                         const auto size = parse_size_bytes(given);
                         if (!size)
                           throw BadValue(given, "is not a size, such as 4096, 64K or 1.5G");
                         bytes = *size;
                       });
}

CLI::Option* seconds_option(CLI::App& app, const std::string& names, milliseconds& value,
                            const std::string& text) {
  return parsed_option(app, names, "TIME", text, duration_as_flag(value),
                       [&value](const std::string& given) { value = duration_in(given); });
}

CLI::Option* seconds_option(CLI::App& app, const std::string& names, seconds& value,
                            const std::string& text) {
  return parsed_option(app, names, "TIME", text, duration_as_flag(value),
                       [&value](const std::string& given) {
                         value = std::chrono::ceil<seconds>(duration_in(given));
                       });
}

void key_options(CLI::App& app, std::string& key, std::string& authorized,
                 bool& insecure_plaintext) {
  text_option(app, "--key", key, "FILE", "our secret key; `fetchline keygen` makes them");
  text_option(app, "--authorized-keys", authorized, "FILE",
              "whom to believe: everybody's public keys");
  switch_option(app, "--insecure-plaintext", insecure_plaintext,
                "do without keys, also where other machines reach us");
}

CLI::Option* fail_on_option(CLI::App& app, FailOn& rule) {
  return parsed_option(app, "--fail-on", "RULE",
                       "what makes a job fail: any|never|N|P% failed tasks", "any",
                       [&rule](const std::string& given) {
                         const auto parsed = parse_fail_on(given);
                         if (!parsed) throw BadValue(given, "is not any, never, N or P%");
                         rule = *parsed;
                       });
}

std::uint64_t count_in(std::string_view value, std::uint64_t least, std::uint64_t most) {
  const auto count = parse_count(value);
  if (!count) throw BadValue(value, "is not a whole number");
  if (*count < least) throw BadValue(value, "is less than " + std::to_string(least));
  if (*count > most) throw BadValue(value, "is more than " + std::to_string(most));
  return *count;
}

}  // namespace fetchline
