// fetchline-producer: flags in, exit code out.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "deploy/process/end_code.h"
#include "deploy/process/exit_code.h"
#include "deploy/process/flags.h"
#include "deploy/process/identity.h"
#include "deploy/process/progress.h"
#include "deploy/process/run_role.h"
#include "deploy/process/signals.h"
#include "producer/input_check.h"
#include "producer/producer.h"
#include "producer/producer_flags.h"
#include "producer/producer_view.h"
#include "proto/keys.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

ExitCode dry_run(const ProducerOptions& options, const TaskFlags& flags) {
  const Keys keys = read_keys(options.keys, Role::producer);
  Port::check(options.bind, keys);
  if (!options.listen.empty()) {
    Port::check(options.listen, keys, Link::chain);
    spdlog::info("would hand out what the stage before sends to {}, at {}", options.listen,
                 options.bind);
    return ExitCode::ok;
  }
  const InputCheck check = check_input(options.urls, options.input, options.emit);
  for (const std::string& fault : check.faults) spdlog::warn("{}", fault);
  spdlog::info("would hand out {} tasks at {}; {} lines are not tasks", check.tasks, options.bind,
               check.faulty);
  return decide(flags.fail_on, check.tasks, check.faulty, check.tasks + check.faulty);
}

ExitCode run(const Program& program, const ProducerOptions& options, const TaskFlags& flags,
             const SignalStop& signals) {
  if (flags.dry_run) return dry_run(options, flags);
  zmq::context_t context = make_context(2);
  Producer producer(context, options);
  const ProducerCounters& counters = producer.counters();
  ProgressReport progress(program.progress(), [&counters] {
    ProgressSample sample;
    sample.done = counters.finished.load(std::memory_order_relaxed);
    sample.failed = std::min(sample.done, counters.failed.load(std::memory_order_relaxed));
    sample.ok = sample.done - sample.failed;
    sample.in_flight = counters.in_flight.load(std::memory_order_relaxed);
    if (counters.input_ended.load(std::memory_order_relaxed)) {
      sample.total = counters.tasks_read.load(std::memory_order_relaxed);
    }
    const std::string* whom = counters.waits_for.load(std::memory_order_relaxed);
    if (whom != nullptr) sample.waiting_for = *whom;
    return sample;
  });
  const auto http = serve_watch(program, [&] {
    Observation seen;
    seen.progress = progress.now();
    show(producer.status(kWatchPatience), seen);
    return seen;
  });
  const RunEnd end = producer.run(signals.drain(), signals.abort());
  if (end.kind == RunEnd::Kind::other_input) progress.withdraw();
  return exit_code_of(end, ok_of(end.counts), total_of(end.counts), flags.fail_on);
}

int main_of(int argc, char** argv) {
  const SignalStop signals;
  Program program("fetchline-producer", "Reads tasks and hands them to workers.");
  ProducerOptions options;
  options.name = process_name();
  TaskFlags flags;
  add_input_flags(program.app(), options, flags);
  add_resume_flag(program.app(), options);
  add_patience_flags(program.app(), options);
  flag_group(program.app(), "Memory");
  count_option<Index>(program.app(), "--window", options.window,
                      "tasks from the oldest unfinished; the collector's counts too", 1,
                      kMostWindow);
  add_verdict_flags(program.app(), flags);
  add_producer_fleet_flags(program.app(), options);
  program.example("fetchline-producer -i urls.txt");
  program.example(
      "fetchline-producer --bind tcp://*:5555 --key producer.key --authorized-keys authorized -i "
      "-");
  const auto role = [&] {
    flags.apply_to(options);
    options.listen_timeout = options.peer_timeout;
    return run(program, options, flags, signals);
  };
  return to_int(run_role(program, argc, argv, role,
                         {environment_error<InputError>("--input", ExitCode::input_unreadable),
                          environment_error<KeyError>("", ExitCode::usage),
                          environment_error<EndpointError>("", ExitCode::usage)}));
}

}  // namespace
}  // namespace fetchline

int main(int argc, char** argv) { return fetchline::main_of(argc, argv); }
