// A program as its caller meets it: name, flags, --help, --version, environment and config file.
//
//     SignalStop signals;
//     Program program("fetchline-worker", "Fetches what a producer hands out.");
//     WorkerOptions options;
//     add_worker_flags(program.app(), options);
//     return to_int(run_role(program, argc, argv, role, errors));  // deploy/process/run_role.h
//
// A flag beats its environment variable FETCHLINE_<FLAG> (upper case, dashes as underscores; an
// empty one counts as not set; for a list it is one value), which beats the key of the same name in
// --config FILE, which beats the default. --config, --help and --version are not keys.
// Owned by main, used before other threads than those of the signals start.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/process/exit_code.h"
#include "deploy/process/flags.h"
#include "deploy/process/log.h"
#include "deploy/process/progress.h"
#include "deploy/process/usage_error.h"

namespace fetchline {

class Program {
 public:
  // `purpose` is one line. Adds the flags every program has.
  Program(const std::string& name, const std::string& purpose);
  ~Program();

  // For flags (deploy/process/flags.h). A flag that is required() may come from any source;
  // needs() and excludes() look at the command line only.
  [[nodiscard]] CLI::App& app() { return *app_; }

  // One line in --help's last part; give two.
  void example(const std::string& command);

  // Empty: carry on. Else the exit code to end with: help or version are on stdout, or what is
  // wrong is on stderr.
  [[nodiscard]] std::optional<ExitCode> parse(int argc, const char* const* argv);

  // The same, for whoever finds out later: says it on stderr and returns ExitCode::usage.
  ExitCode report(const UsageError& error) const;

  // After parse().
  [[nodiscard]] const LogOptions& log() const { return log_; }
  [[nodiscard]] ProgressMode progress() const;                     // resolved for this stderr
  [[nodiscard]] const std::string& http() const { return http_; }  // ADDR:PORT; empty: nowhere
  // What was given and does nothing: for the log, once that is set up.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::string& name() const { return log_.program; }

 private:
  void add_talk_flags();
  void parse_command_line(int argc, const char* const* argv);
  void add_from_environment();
  void add_from_file();
  void warn_of_unknown_variables();
  void check_required() const;

  std::unique_ptr<CLI::App> app_;
  LogOptions log_;
  ProgressMode progress_ = ProgressMode::automatic;
  std::string http_;
  std::string config_path_;
  std::vector<const CLI::Option*> required_;
  std::vector<std::string> warnings_;
};

}  // namespace fetchline
