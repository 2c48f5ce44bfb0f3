#include "worker/worker_flags.h"

#include <stdexcept>

#include "deploy/process/flags.h"
#include "deploy/process/usage_error.h"
#include "proto/emit_rule.h"

namespace fetchline {

namespace {

std::string command_in(const std::string& text) {
  auto parsed = parse_emit_rule(text);
  if (const auto* fault = std::get_if<std::string>(&parsed)) throw BadValue(text, *fault);
  auto& rule = std::get<EmitRule>(parsed);
  if (rule.kind != EmitRule::Kind::exec)
    throw BadValue(text, "belongs to the collector; workers take exec:COMMAND");
  if (rule.argument.empty()) throw BadValue(text, "has no command");
  return std::move(rule.argument);
}

}  // namespace

void WorkerFleetFlags::apply_to(WorkerOptions& options) const {
  if (producers.size() != collectors.size()) {
    throw UsageError("--producer", "each needs its --collector, in the same order");
  }
  if (!producers.empty()) options.links.clear();
  for (std::size_t i = 0; i < producers.size(); ++i) {
    options.links.push_back({producers[i], collectors[i]});
  }
  if (connect_timeout.count() > 0) options.connect_timeout = connect_timeout;
  if (max_time.count() > 0) options.max_time = max_time;
  if (max_filesize_bytes > 0) options.max_filesize_bytes = max_filesize_bytes;
}

void add_effort_flags(CLI::App& app, WorkerOptions& options) {
  flag_group(app, "How hard");
  count_option(app, "-j,--concurrency", options.concurrency, "transfers at once in a worker", 1U,
               1'000'000U);
  count_option(app, "--threads", options.threads, "fetch threads in a worker; 0 is one a core", 0U,
               256U);
}

void add_reach_flags(CLI::App& app, WorkerOptions& options) {
  flag_group(app, "Safety");
  parsed_option(app, "--allow-net", "RANGES", "whom to fetch from: any|public|CIDR,...", "any",
                [&options](const std::string& rule) {
                  try {
                    options.allow_net = AddressPolicy(rule);
                  } catch (const BadRange& wrong) {
                    throw BadValue(wrong.part, wrong.what());
                  }
                });
}

void add_worker_fleet_flags(CLI::App& app, WorkerOptions& options, WorkerFleetFlags& flags) {
  flag_group(app, "Ceilings on what a job may ask");
  seconds_option(app, "--connect-timeout", flags.connect_timeout, "0 is as the job says");
  seconds_option(app, "-m,--max-time", flags.max_time, "for one attempt; 0 is as the job says");
  size_option(app, "--max-filesize", flags.max_filesize_bytes, "of a body; 0 is as the job says");
  flag_group(app, "Fleet");
  list_option(app, "--producer", flags.producers, "ENDPOINT",
              "where tasks come from [" + options.links.front().producer + "]");
  list_option(app, "--collector", flags.collectors, "ENDPOINT",
              "where results go [" + options.links.front().collector + "]");
  parsed_option(app, "--emit", "exec:COMMAND",
                "run it for each result; its output is what goes on to the next stage", "",
                [&options](const std::string& text) { options.emit.command = command_in(text); });
  add_command_flags(app, options.emit);
  switch_option(app, "--keep-alive", options.keep_alive, "stay for the next job");
  key_options(app, options.keys.key, options.keys.authorized, options.keys.insecure_plaintext);
  seconds_option(app, "--drain-timeout", options.drain_timeout, "to finish what is in hand");
  seconds_option(app, "--peer-timeout", options.peer_timeout, "to wait for others; 0 is for ever");
}

void add_command_flags(CLI::App& app, CommandOptions& options) {
  seconds_option(app, "--emit-max-time", options.max_time, "for one run of an exec:COMMAND");
  size_option(app, "--emit-max-memory", options.max_memory_bytes, "for each process of it");
}

void check_descriptors(const WorkerOptions& options, std::uint64_t limit) {
  constexpr std::uint64_t kOwn = 64;        // sockets of ours, files
  constexpr std::uint64_t kOfThread = 160;  // spare connections, epoll, wake-ups, name lookups
  constexpr std::uint64_t kOfCommand = 4;
  const std::uint64_t of_slot = options.emit.command.empty() ? 1 : 1 + kOfCommand;
  const std::uint64_t needed =
      of_slot * options.concurrency + kOwn + kOfThread * thread_count(options);
  if (needed <= limit) return;
  throw UsageError("--concurrency", std::to_string(options.concurrency) + " transfers need " +
                                        std::to_string(needed) + " open files, the limit is " +
                                        std::to_string(limit) + " (ulimit -n)");
}

}  // namespace fetchline
