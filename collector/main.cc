// fetchline-collector: flags in, exit code out.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "collector/collector.h"
#include "collector/collector_flags.h"
#include "collector/collector_view.h"
#include "collector/damaged.h"
#include "collector/existing_output.h"
#include "collector/output_error.h"
#include "deploy/process/end_code.h"
#include "deploy/process/exit_code.h"
#include "deploy/process/flags.h"
#include "deploy/process/progress.h"
#include "deploy/process/run_role.h"
#include "deploy/process/signals.h"
#include "proto/keys.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

ExitCode run(const Program& program, const CollectorOptions& options, const FailOn& rule,
             const SignalStop& signals) {
  check_watch(program);
  zmq::context_t context = make_context(1);
  Collector collector(context, options);
  const CollectorCounters& counters = collector.counters();
  const ProgressReport progress(program.progress(), [&counters] {
    ProgressSample sample;
    sample.done = counters.records.load(std::memory_order_relaxed);
    sample.ok = std::min(sample.done, counters.ok.load(std::memory_order_relaxed));
    sample.failed = sample.done - sample.ok;
    sample.bytes_out = counters.bytes.load(std::memory_order_relaxed);
    const auto total = counters.total.load(std::memory_order_relaxed);
    if (total != CollectorCounters::kUnknown) sample.total = total;
    const std::string* whom = counters.waits_for.load(std::memory_order_relaxed);
    if (whom != nullptr) sample.waiting_for = *whom;
    return sample;
  });
  const auto http = serve_watch(program, [&] {
    Observation seen;
    seen.progress = progress.now();
    show(collector.status(kWatchPatience), seen);
    return seen;
  });
  const RunEnd end = collector.run(signals.drain(), signals.abort());
  return exit_code_of(end, ok_of(end.counts), total_of(end.counts), rule);
}

int main_of(int argc, char** argv) {
  const SignalStop signals;
  Program program("fetchline-collector", "Puts results in input order and writes them.");
  CollectorOptions options;
  FailOn rule;
  add_durability_flag(program.app(), options);
  add_output_flags(program.app(), options);
  add_memory_flags(program.app(), options);
  flag_group(program.app(), "Verdict");
  fail_on_option(program.app(), rule);
  add_collector_fleet_flags(program.app(), options);
  program.example("fetchline-collector -o results.ndjson");
  program.example(
      "fetchline-collector --bind tcp://*:5556 --key collector.key --authorized-keys authorized");
  const auto role = [&] {
    options.next_timeout = options.peer_timeout;
    set_default_emit(options);
    check_output_flags(options);
    return run(program, options, rule, signals);
  };
  return to_int(run_role(program, argc, argv, role,
                         {environment_error<ResumeMismatch>("", ExitCode::usage),
                          environment_error<DamagedError>("--output", ExitCode::journal_damaged),
                          environment_error<BodyError>("--output-dir", ExitCode::output_unwritable),
                          environment_error<OutputError>("--output", ExitCode::output_unwritable),
                          environment_error<KeyError>("", ExitCode::usage),
                          environment_error<EndpointError>("", ExitCode::usage)}));
}

}  // namespace
}  // namespace fetchline

int main(int argc, char** argv) { return fetchline::main_of(argc, argv); }
