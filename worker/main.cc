// fetchline-worker: flags in, exit code out.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "deploy/process/exit_code.h"
#include "deploy/process/identity.h"
#include "deploy/process/progress.h"
#include "deploy/process/run_role.h"
#include "deploy/process/signals.h"
#include "proto/keys.h"
#include "proto/sockets.h"
#include "worker/worker.h"
#include "worker/worker_flags.h"
#include "worker/worker_view.h"

namespace fetchline {
namespace {

ExitCode run(const Program& program, const WorkerOptions& options, const SignalStop& signals) {
  zmq::context_t context = make_context(2);
  Worker worker(context, options);
  const WorkerCounters& counters = worker.counters();
  const ProgressReport progress(program.progress(), [&counters] {
    ProgressSample sample;
    sample.done = counters.fetched.load(std::memory_order_relaxed);
    sample.ok = std::min(sample.done, counters.ok.load(std::memory_order_relaxed));
    sample.failed = sample.done - sample.ok;
    sample.in_flight = counters.running.load(std::memory_order_relaxed);
    const std::string* whom = counters.waits_for.load(std::memory_order_relaxed);
    if (whom != nullptr) sample.waiting_for = *whom;
    return sample;
  });
  const auto http = serve_watch(program, [&] {
    Observation seen;
    seen.progress = progress.now();
    show(worker.status(kWatchPatience), seen);
    return seen;
  });
  const RunEnd end = worker.run(signals.drain(), signals.abort());
  if (!end.why.empty()) spdlog::error("{}", end.why);
  // A worker that was asked to leave did what it was asked: what it held is fetched by others.
  return end.kind == RunEnd::Kind::no_peer ? ExitCode::no_peer : ExitCode::ok;
}

int main_of(int argc, char** argv) {
  const SignalStop signals;
  Program program("fetchline-worker", "Fetches what a producer hands out.");
  WorkerOptions options;
  options.name = process_name();
  WorkerFleetFlags fleet;
  add_effort_flags(program.app(), options);
  add_reach_flags(program.app(), options);
  add_worker_fleet_flags(program.app(), options, fleet);
  program.example("fetchline-worker -j 256");
  program.example("fetchline-worker --producer tcp://p:5555 --collector tcp://c:5556 --keep-alive");
  const auto role = [&] {
    fleet.apply_to(options);
    check_descriptors(options, raise_descriptor_limit());
    return run(program, options, signals);
  };
  return to_int(run_role(program, argc, argv, role,
                         {environment_error<CommandError>("--emit", ExitCode::usage),
                          environment_error<KeyError>("", ExitCode::usage),
                          environment_error<EndpointError>("", ExitCode::usage)}));
}

}  // namespace
}  // namespace fetchline

int main(int argc, char** argv) { return fetchline::main_of(argc, argv); }
