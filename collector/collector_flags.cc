#include "collector/collector_flags.h"

#include <charconv>
#include <string_view>

#include "deploy/process/flags.h"
#include "deploy/process/usage_error.h"

namespace fetchline {

void add_output_flags(CLI::App& app, CollectorOptions& options) {
  flag_group(app, "Where to");
  text_option(app, "-o,--output", options.output, "FILE", "records in input order; - is stdout");
  choice_option<OutputFormat>(app, "--format", options.format, "how results are written",
                              {{"ndjson", OutputFormat::ndjson}, {"files", OutputFormat::files}});
  text_option(app, "--output-dir", options.output_dir, "DIR",
              "for --format files: a file for each body");
  switch_option(app, "--overwrite", options.overwrite, "an output that exists is replaced");
  switch_option(app, "--resume", options.resume, "go on where an earlier run stopped");
  switch_option(app, "!--no-body", options.record.body, "leave bodies out of the records");
  switch_option(app, "!--no-headers", options.record.headers, "leave response headers out");
}

void add_durability_flag(CLI::App& app, CollectorOptions& options) {
  flag_group(app, "Safety");
  choice_option<Journal::Durability>(
      app, "--durability", options.durability, "a crash it survives, of",
      {{"process", Journal::Durability::process}, {"power", Journal::Durability::power}});
}

void add_memory_flags(CLI::App& app, CollectorOptions& options) {
  flag_group(app, "Memory");
  count_option<Index>(app, "--window", options.window,
                      "tasks between the oldest unfinished and the newest", 1, kMostWindow);
  size_option(app, "--memory", options.memory_bytes, "for results that wait for their turn");
  size_option(app, "--spill-limit", options.spill_limit_bytes, "for them on disk, in FILE.spill");
}

void add_collector_fleet_flags(CLI::App& app, CollectorOptions& options) {
  flag_group(app, "Fleet");
  text_option(app, "--bind", options.bind, "ENDPOINT", "where workers and the producer connect");
  add_emit_flag(app, options);
  add_next_flag(app, options);
  key_options(app, options.keys.key, options.keys.authorized, options.keys.insecure_plaintext);
  seconds_option(app, "--drain-timeout", options.drain_timeout, "for a slow reader, when stopped");
  seconds_option(app, "--peer-timeout", options.peer_timeout, "to wait for others; 0 is for ever");
}

void add_emit_flag(CLI::App& app, CollectorOptions& options) {
  parsed_option(app, "--emit", "RULE", "what goes on: body-lines|links|json:/POINTER|exec:COMMAND",
                "", [&options](const std::string& text) {
                  auto parsed = parse_emit_rule(text);
                  if (const auto* fault = std::get_if<std::string>(&parsed))
                    throw BadValue(text, *fault);
                  options.emit = std::move(std::get<EmitRule>(parsed));
                });
}

void add_next_flag(CLI::App& app, CollectorOptions& options) {
  text_option(app, "--next", options.next, "ENDPOINT",
              "the next stage, which takes what --emit says with --listen");
}

void set_default_emit(CollectorOptions& options) {
  if (!options.next.empty() && !options.emit) options.emit = EmitRule{};
}

namespace {

// Here, as libzmq would say it when the output is open and what was in it is gone.
void check_next(const std::string& endpoint) {
  constexpr std::string_view kTcp = "tcp://";
  constexpr std::string_view kIpc = "ipc://";
  if (endpoint.empty() || (endpoint.starts_with(kIpc) && endpoint.size() > kIpc.size())) return;
  const std::size_t colon = endpoint.rfind(':');
  const std::string_view host =
      endpoint.starts_with(kTcp) && colon > kTcp.size()
          ? std::string_view(endpoint).substr(kTcp.size(), colon - kTcp.size())
          : std::string_view();
  const bool has_host =
      !host.empty() && host != "*" && host.starts_with('[') == host.ends_with(']');
  unsigned port = 0;
  const char* const end = endpoint.data() + endpoint.size();
  const char* const digits = has_host ? endpoint.data() + colon + 1 : end;
  const auto [rest, error] = std::from_chars(digits, end, port);
  if (error == std::errc() && rest == end && 0 < port && port <= 65'535) return;
  throw UsageError(
      "--next", "cannot connect to " + endpoint + "; an endpoint looks like tcp://127.0.0.1:5555");
}

}  // namespace

void check_output_flags(const CollectorOptions& options) {
  check_next(options.next);
  if (options.resume && options.overwrite) throw UsageError("--resume", "excludes --overwrite");
  const bool files = options.format == OutputFormat::files;
  if (files && options.output_dir.empty()) throw UsageError("--format files", "needs --output-dir");
  if (!files && !options.output_dir.empty())
    throw UsageError("--output-dir", "needs --format files");
}

}  // namespace fetchline
