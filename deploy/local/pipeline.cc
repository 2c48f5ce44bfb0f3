#include "deploy/local/pipeline.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "proto/sockets.h"

namespace fetchline {
namespace {

constexpr const char* kTasks = "inproc://tasks";
constexpr const char* kResults = "inproc://results";

// Who looks from outside whether the main thread turns sees it turn that often.
constexpr std::chrono::seconds kTurn{1};

// The rest is for putting out what was fetched.
std::chrono::milliseconds share_of_fetching(std::chrono::milliseconds drain_timeout) {
  return drain_timeout * 9 / 10;
}

CollectorOptions local_collector(const PipelineOptions& given) {
  CollectorOptions options = given.collector;
  options.bind = kResults;
  options.peer_timeout = {};
  options.next_timeout = given.chain_timeout;
  if (!options.next.empty()) options.keys = given.keys;
  return options;
}

ProducerOptions local_producer(const PipelineOptions& given) {
  ProducerOptions options = given.producer;
  options.listen_timeout = given.chain_timeout;
  if (!options.listen.empty()) options.keys = given.keys;
  options.bind = kTasks;
  options.collector = kResults;
  options.peer_timeout = {};
  options.late_logins = {};
  options.drain_timeout = share_of_fetching(options.drain_timeout);
  return options;
}

// Large bodies under way come on top of --memory, and are to stay in proportion to it.
std::size_t share_of_bodies(std::uint64_t memory_bytes) {
  constexpr std::uint64_t kLeast = std::uint64_t{32} << 20;
  return std::max(kLeast, memory_bytes / 4);
}

WorkerOptions local_worker(WorkerOptions options, std::uint64_t memory_bytes) {
  options.body_bytes = share_of_bodies(memory_bytes);
  options.links = {{.producer = kTasks, .collector = kResults}};
  options.peer_timeout = {};
  options.drain_timeout = share_of_fetching(options.drain_timeout);
  return options;
}

}  // namespace

Pipeline::Pipeline(const PipelineOptions& options)
    : drain_timeout_(options.producer.drain_timeout),
      listens_(!options.producer.listen.empty()),
      context_(make_context(0)),
      producer_(context_, local_producer(options)),
      collector_(context_, local_collector(options)),
      worker_(context_, local_worker(options.worker, options.collector.memory_bytes)) {}

RunEnd Pipeline::run(std::stop_token drain, std::stop_token abort) {
  start(collecting_, [this](auto d, auto a) { return collector_.run(d, a); });
  start(producing_, [this](auto d, auto a) { return producer_.run(d, a); });
  start(working_, [this](auto d, auto a) { return worker_.run(d, a); });
  const std::stop_callback on_drain(drain, [this] {
    begin_drain();
    collector_.expect_drain();
    producing_.drain.request_stop();
    working_.drain.request_stop();
  });
  const std::stop_callback on_abort(abort, [this] { stop_all(); });
  const bool in_vain = wait_for_first_end();
  if (!in_vain) wait_for_next_stage();
  // Whatever ended first: without the others nobody has more to do, but what is there goes out.
  collecting_.drain.request_stop();
  if (in_vain) {
    wait_for_farewell();
    producing_.abort.request_stop();
    working_.abort.request_stop();
  }
  end_drain();
  wait_for_all();
  for (Role* role : {&producing_, &working_, &collecting_}) {
    if (role->thread.joinable()) role->thread.join();
  }
  rethrow_first_error();
  return producer_gave_up() ? *producing_.end : *collecting_.end;
}

// Another input, or another producer of the job: the others know of no reason to end.
bool Pipeline::producer_gave_up() const {
  using Kind = RunEnd::Kind;
  if (!producing_.end) return false;
  return producing_.end->kind != Kind::complete && producing_.end->kind != Kind::interrupted;
}

// False: it was not so in time.
bool Pipeline::wait(std::unique_lock<std::mutex>& lock, Clock::time_point end,
                    const std::function<bool()>& condition) {
  while (!condition()) {
    const auto now = Clock::now();
    if (now >= end) return false;
    changed_.wait_until(lock, std::min(end, now + kTurn));
  }
  return true;
}

bool Pipeline::wait_for_first_end() {
  std::unique_lock lock(mutex_);
  wait(lock, kForEver, [this] {
    const bool failed = collecting_.error || producing_.error || working_.error;
    const bool idle = producing_.over() && (working_.over() || producer_gave_up());
    return failed || collecting_.over() || idle;
  });
  return collecting_.over() || producing_.error || working_.error || producer_gave_up();
}

// A producer that knows that all is done tells the stage before, which may be starting again.
void Pipeline::wait_for_farewell() {
  constexpr std::chrono::seconds kMost = StageBeforeCore::kFarewell + std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  const bool complete = collecting_.end && collecting_.end->kind == RunEnd::Kind::complete;
  if (!listens_ || !complete) return;
  wait(lock, Clock::now() + kMost, [this] { return producing_.over(); });
}

// All is fetched and out: the collector ends by itself, when the next stage has finished too.
void Pipeline::wait_for_next_stage() {
  std::unique_lock lock(mutex_);
  const bool complete = producing_.end && producing_.end->kind == RunEnd::Kind::complete;
  if (!complete) return;
  wait(lock, kForEver, [this] { return collecting_.over() || drain_end_; });
}

void Pipeline::begin_drain() {
  const std::lock_guard lock(mutex_);
  drain_end_ = Clock::now() + drain_timeout_;
  changed_.notify_all();
}

// The collector began to drain late, and has what is left of the time.
void Pipeline::end_drain() {
  std::unique_lock lock(mutex_);
  if (!drain_end_) return;
  if (wait(lock, *drain_end_, [this] { return collecting_.over(); })) return;
  lock.unlock();
  collecting_.abort.request_stop();
}

void Pipeline::wait_for_all() {
  std::unique_lock lock(mutex_);
  wait(lock, kForEver,
       [this] { return producing_.over() && working_.over() && collecting_.over(); });
}

// One that cannot have its thread has failed like one that fails later.
void Pipeline::start(Role& role, Body body) {
  try {
    role.thread = std::thread([this, &role, body = std::move(body)] {
      std::optional<RunEnd> end;
      std::exception_ptr error;
      try {
        end = body(role.drain.get_token(), role.abort.get_token());
      } catch (...) {
        error = std::current_exception();
      }
      finish(role, std::move(end), error);
    });
  } catch (const std::system_error& error) {
    finish(role, {},
           std::make_exception_ptr(std::system_error(error.code(), "cannot start a thread")));
  }
}

void Pipeline::finish(Role& role, std::optional<RunEnd> end, std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  role.end = std::move(end);
  role.error = std::move(error);
  changed_.notify_all();
}

void Pipeline::stop_all() {
  for (Role* role : {&producing_, &working_, &collecting_}) role->abort.request_stop();
}

void Pipeline::rethrow_first_error() const {
  for (const Role* role : {&collecting_, &producing_, &working_}) {
    if (role->error) std::rethrow_exception(role->error);
  }
}

}  // namespace fetchline
