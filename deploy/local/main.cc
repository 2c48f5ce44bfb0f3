// fetchline: the whole pipeline on this machine. Flags in, exit code out.
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "collector/collector_flags.h"
#include "collector/collector_view.h"
#include "collector/damaged.h"
#include "collector/existing_output.h"
#include "collector/output_error.h"
#include "deploy/local/keygen.h"
#include "deploy/local/pipeline.h"
#include "deploy/process/end_code.h"
#include "deploy/process/exit_code.h"
#include "deploy/process/flags.h"
#include "deploy/process/identity.h"
#include "deploy/process/progress.h"
#include "deploy/process/run_role.h"
#include "deploy/process/signals.h"
#include "deploy/process/usage_error.h"
#include "producer/input_check.h"
#include "producer/producer_flags.h"
#include "producer/producer_view.h"
#include "proto/port.h"
#include "proto/sockets.h"
#include "worker/worker_flags.h"
#include "worker/worker_view.h"

namespace fetchline {
namespace {

// Nothing would be left to read of an input that is the output too.
void check_apart(const std::string& input, const std::string& output) {
  if (input.empty() || output == "-") return;
  struct stat in {
  }, out{};
  const int found = input == "-" ? fstat(STDIN_FILENO, &in) : stat(input.c_str(), &in);
  if (found != 0 || !S_ISREG(in.st_mode) || stat(output.c_str(), &out) != 0) return;
  if (in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
    throw UsageError("--output", output + " is the input");
  }
}

ExitCode dry_run(const PipelineOptions& options, const TaskFlags& flags) {
  const ProducerOptions& producer = options.producer;
  const WorkerOptions& worker = options.worker;
  const CollectorOptions& collector = options.collector;
  const ExistingOutput existing = check_existing_output(collector);
  if (!producer.listen.empty()) {
    Port::check(producer.listen, read_keys(options.keys, Role::producer), Link::chain);
    spdlog::info("would fetch what the stage before sends to {}", producer.listen);
    return ExitCode::ok;
  }
  const InputCheck check = check_input(producer.urls, producer.input, producer.emit);
  for (const std::string& fault : check.faults) spdlog::warn("{}", fault);
  if (existing == ExistingOutput::complete) {
    spdlog::info("would fetch nothing: {} is complete", collector.output);
    return ExitCode::ok;
  }
  spdlog::info("would fetch {}{} tasks, {} at once, into {}; {} lines are not tasks",
               existing == ExistingOutput::begun ? "what lacks of " : "", check.tasks,
               worker.concurrency, collector.output == "-" ? "stdout" : collector.output,
               check.faulty);
  if (collector.emit) spdlog::info("would emit of each: {}", to_string(*collector.emit));
  return decide(flags.fail_on, check.tasks, check.faulty, check.tasks + check.faulty);
}

ProgressSample sample_of(const Pipeline& pipeline) {
  const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  ProgressSample sample;
  sample.done = read(pipeline.collector().records);
  sample.ok = std::min(sample.done, read(pipeline.collector().ok));
  sample.failed = sample.done - sample.ok;
  sample.bytes_out = read(pipeline.collector().bytes);
  sample.in_flight = read(pipeline.worker().running);
  if (read(pipeline.producer().input_ended)) sample.total = read(pipeline.producer().tasks_read);
  return sample;
}

ExitCode run(const Program& program, const PipelineOptions& options, const TaskFlags& flags,
             const SignalStop& signals) {
  if (flags.dry_run) return dry_run(options, flags);
  check_watch(program);
  Pipeline pipeline(options);
  ProgressReport progress(program.progress(), [&pipeline] { return sample_of(pipeline); });
  const auto http = serve_watch(program, [&] {
    Observation seen;
    seen.progress = progress.now();
    show(pipeline.producer_status(kWatchPatience), seen);
    show(pipeline.worker_status(kWatchPatience), seen);
    show(pipeline.collector_status(kWatchPatience), seen);
    // All three are here; other stages may not be.
    std::erase_if(seen.missing, [](const std::string& whom) {
      return whom.find("inproc://") != std::string::npos;
    });
    return seen;
  });
  const RunEnd end = pipeline.run(signals.drain(), signals.abort());
  if (end.kind == RunEnd::Kind::other_input) progress.withdraw();
  return exit_code_of(end, ok_of(end.counts), total_of(end.counts), flags.fail_on);
}

void add_flags(Program& program, PipelineOptions& options, TaskFlags& flags) {
  CLI::App& app = program.app();
  add_input_flags(app, options.producer, flags);
  add_effort_flags(app, options.worker);
  add_patience_flags(app, options.producer);
  add_durability_flag(app, options.collector);
  add_reach_flags(app, options.worker);
  add_output_flags(app, options.collector);
  add_memory_flags(app, options.collector);
  add_verdict_flags(app, flags);
  flag_group(app, "Fleet");
  add_emit_flag(app, options.collector);
  add_command_flags(app, options.worker.emit);
  add_next_flag(app, options.collector);
  add_listen_flag(app, options.producer);
  key_options(app, options.keys.key, options.keys.authorized, options.keys.insecure_plaintext);
  seconds_option(app, "--peer-timeout", options.chain_timeout,
                 "to wait for other stages; 0 is for ever");
  seconds_option(app, "--drain-timeout", options.producer.drain_timeout,
                 "to finish what is in hand when stopped");
  program.example("fetchline -i urls.txt -o results.ndjson");
  program.example("cat urls.txt | fetchline -i - | jq .response_code");
  program.example("fetchline keygen keys        # for a fleet: see fetchline keygen --help");
}

// Of records in the input, too, as far as they do not say it themselves.
void apply_emit(PipelineOptions& options) {
  if (!options.collector.emit) return;
  const EmitRule& rule = *options.collector.emit;
  options.producer.emit = rule;
  if (rule.kind != EmitRule::Kind::exec) return;
  if (rule.argument.empty()) throw UsageError("--emit", "\"exec:\" has no command");
  options.worker.emit.command = rule.argument;
}

int main_of(int argc, char** argv) {
  if (is_keygen(argc, argv)) return to_int(keygen(argc, argv));
  const SignalStop signals;
  Program program("fetchline", "Fetches many URLs and puts the results in their order.");
  PipelineOptions options;
  TaskFlags flags;
  add_flags(program, options, flags);
  const auto role = [&] {
    options.worker.name = options.producer.name = process_name();
    options.worker.drain_timeout = options.collector.drain_timeout = options.producer.drain_timeout;
    options.producer.resume = options.collector.resume;
    options.producer.window = options.collector.window;
    apply_emit(options);
    set_default_emit(options.collector);
    check_output_flags(options.collector);
    check_apart(options.producer.input, options.collector.output);
    flags.apply_to(options.producer);
    check_descriptors(options.worker, raise_descriptor_limit());
    return run(program, options, flags, signals);
  };
  return to_int(run_role(program, argc, argv, role,
                         {environment_error<CommandError>("--emit", ExitCode::usage),
                          environment_error<ResumeMismatch>("", ExitCode::usage),
                          environment_error<InputError>("--input", ExitCode::input_unreadable),
                          environment_error<DamagedError>("--output", ExitCode::journal_damaged),
                          environment_error<BodyError>("--output-dir", ExitCode::output_unwritable),
                          environment_error<OutputError>("--output", ExitCode::output_unwritable),
                          environment_error<KeyError>("", ExitCode::usage),
                          environment_error<EndpointError>("", ExitCode::usage)}));
}

}  // namespace
}  // namespace fetchline

int main(int argc, char** argv) { return fetchline::main_of(argc, argv); }
