#include "producer/producer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "proto/sockets.h"

namespace fetchline {
namespace {

constexpr std::chrono::milliseconds kTick{100};  // leases and repeats are no finer than this
constexpr int kMessagesPerTurn = 256;            // so that no socket starves another

constexpr int kBlocksPerTurn = 16;  // of input, so that nobody is kept waiting by it

constexpr std::string_view kNotOfAWorker = "no worker of this job can say that";

using std::chrono::milliseconds;

ProducerCore::Settings core_settings(const ProducerOptions& options) {
  return {.job = random_job_id(),
          .resume = options.resume,
          .nonce = random_u64(),
          .job_settings = options.job,
          .retry = options.retry,
          .late_logins = options.late_logins,
          .window = options.window,
          .name = options.name};
}

std::string difference_text(const ProducerCore& core) {
  const Index at = core.other_input_at();
  switch (core.difference()) {
    case ProducerCore::Difference::ends_early:
      return "the input ends at task " + std::to_string(at) + ", before it went on";
    case ProducerCore::Difference::goes_on:
      if (at == 0) return "the input has tasks, before it had none";
      return "the input goes on beyond task " + std::to_string(at - 1) + ", before it ended there";
    case ProducerCore::Difference::other_task:
      break;
  }
  return "task " + std::to_string(at) + " is not the one that was fetched before";
}

milliseconds wall_clock() {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace

Producer::Producer(zmq::context_t& context, ProducerOptions options)
    : options_(std::move(options)),
      source_(options_.listen.empty() ? TaskSource(options_.urls, options_.input, options_.emit)
                                      : TaskSource(TaskSource::Fed(), options_.emit)),
      keys_(read_keys(options_.keys, Role::producer)),
      workers_(context, options_.bind, keys_),
      collector_(context, options_.collector, "--collector", Role::collector, keys_),
      core_(core_settings(options_)),
      collector_watch_(collector_.whom(), options_.peer_timeout, std::chrono::steady_clock::now()),
      worker_watch_("a worker at " + workers_.shown(), options_.peer_timeout,
                    std::chrono::steady_clock::now()) {
  if (options_.listen.empty()) return;
  before_.emplace(options_.listen, keys_);
  before_watch_.emplace("the stage before at " + before_->port().shown(), options_.listen_timeout,
                        std::chrono::steady_clock::now());
}

RunEnd Producer::run(std::stop_token drain, std::stop_token abort) {
  const std::stop_callback on_drain(drain, [this] { wakeup_.notify(); });
  const std::stop_callback on_abort(abort, [this] { wakeup_.notify(); });
  spdlog::debug("tasks at {}, collector at {}", workers_.shown(), options_.collector);
  Instant now = std::chrono::steady_clock::now();
  while (true) {
    read_input();
    core_.advance(now, wall_clock());
    send(now);
    report(now);
    publish(now);
    if (auto end = ended(now)) {
      const bool early = end->kind == RunEnd::Kind::interrupted ||
                         end->kind == RunEnd::Kind::other_input ||
                         end->kind == RunEnd::Kind::no_peer;
      if (early) core_.leave();
      send(now);
      published_.publish(status_at(now));  // what is seen of it from now on
      return *end;
    }
    wait(now);
    now = std::chrono::steady_clock::now();
    receive(now);
    if (drain.stop_requested() && !draining_since_) {
      draining_since_ = now;
      core_.stop_dispatch();
    }
    if (abort.stop_requested()) return {.kind = RunEnd::Kind::interrupted, .why = "stopped"};
  }
}

void Producer::wait(Instant now) {
  auto timeout = kTick;
  if (const auto due = core_.next_due()) {
    const auto left = std::chrono::ceil<milliseconds>(*due - now);
    timeout = std::clamp(left, milliseconds(0), kTick);
  }
  if (before_ && before_->core().has_news()) {
    timeout = std::min(timeout, StageBeforeCore::kWantInterval);
  }
  const short collector_events = collector_blocked_ ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
  const bool reads = core_.wants_input() && !source_.ended() && source_.fd() >= 0;
  wait_items_.assign({{collector_.socket().handle(), 0, collector_events, 0},
                      {nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}});
  workers_.add_to(wait_items_);
  if (before_) before_->add_to(wait_items_);
  if (reads) wait_items_.push_back({nullptr, source_.fd(), ZMQ_POLLIN, 0});
  zmq::poll(wait_items_, timeout);
  wakeup_.clear();
}

void Producer::receive(Instant now) {
  // Who was stopped itself (SIGSTOP, a frozen machine) has not heard what was said meanwhile, and
  // connections may have to be made anew: nobody's silence means anything for as long as a lease.
  if (last_turn_ != Instant{} && now - last_turn_ > PeerWatch::kOwnGap) {
    deaf_until_ = now + WorkerSession::kLease;
  }
  last_turn_ = now;
  workers_.tend();
  collector_.tend(now);
  if (before_) before_->receive(now, nonsense_);
  core_.set_more_to_hear(true);
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    auto incoming = workers_.receive();
    if (!incoming) {
      core_.set_more_to_hear(now < deaf_until_);
      break;
    }
    if (auto* received = std::get_if<Received>(&incoming->content)) {
      const auto dropped = core_.dropped_messages();
      core_.on_worker_message(incoming->from, std::move(*received), now);
      if (core_.dropped_messages() > dropped) nonsense_.add(incoming->address, kNotOfAWorker);
    } else {
      ++undecoded_;
      nonsense_.add(incoming->address, to_string(std::get<DecodeError>(incoming->content)));
    }
  }
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    auto incoming = collector_.receive();
    if (!incoming) break;
    if (auto* received = std::get_if<Received>(&incoming->content)) {
      core_.on_collector_message(std::move(*received), now);
    } else {
      ++undecoded_;
      nonsense_.add(collector_watch_.whom(), to_string(std::get<DecodeError>(incoming->content)));
    }
  }
}

void Producer::read_input() {
  for (int blocks = 0; core_.wants_input() && blocks < kBlocksPerTurn;) {
    auto line = source_.next(core_.next_index());
    if (!line) {
      if (source_.ended()) core_.end_of_input();
      if (source_.ended() || !read_more()) break;
      ++blocks;
    } else if (auto* task = std::get_if<Task>(&*line)) {
      core_.add(std::move(*task));
    } else if (auto* invalid = std::get_if<InvalidTask>(&*line)) {
      Task place;
      place.url = invalid->url;
      place.id = invalid->id;
      place.meta = invalid->meta;
      place.hash = invalid->hash;
      core_.add(std::move(place), errormsg_of(*invalid));
    }
  }
}

// A stage that was told that it is enough is over, and not there when its lines are only to be
// compared with those of a finished job. Whoever comes after all was not compared: it is told
// nothing.
void Producer::speak_to_stage_before(Instant now) {
  constexpr std::chrono::seconds kGone{5};
  const bool is_heard = before_->core().heard() != Instant{};
  if (!core_.resumes_finished_job() || is_heard) finished_since_ = now;
  if (now - finished_since_ >= kGone) core_.set_input_gone();
  const bool is_done = core_.phase() == ProducerCore::Phase::done;
  if (is_done && !core_.is_input_gone()) before_->core().set_done(now);
  before_->send(now);
}

// False: there is nothing now.
bool Producer::read_more() {
  if (!before_) return source_.read_block();
  const std::string text = before_->core().take_text();
  if (text.empty() && !before_->core().ended()) return false;
  if (text.empty()) {
    source_.finish();
  } else {
    source_.feed(text);
  }
  return true;
}

void Producer::send(Instant now) {
  if (before_) speak_to_stage_before(now);
  collector_blocked_ = false;
  for (auto& outgoing : core_.take_outgoing()) {
    // What cannot be sent now is noticed as lost and said again: nothing here is a fact of its own.
    if (!outgoing.worker.empty()) {
      const auto result = workers_.send_to(outgoing.worker, outgoing.frames);
      if (result == SendResult::unreachable) core_.worker_unreachable(outgoing.worker, now);
    } else if (collector_.send(outgoing.frames) != SendResult::sent) {
      core_.collector_unreached();
      collector_blocked_ = true;
    }
  }
  while (auto batch = core_.next_results(now)) {
    if (collector_.send(*batch) == SendResult::sent) continue;
    core_.results_not_sent();
    collector_blocked_ = true;
    break;
  }
}

void Producer::report(Instant now) {
  for (const std::string& name : core_.take_lost_workers()) {
    spdlog::warn("worker {} is silent, its tasks go to others", name);
  }
  while (auto line = workers_.next_complaint(now)) spdlog::warn("{}", *line);
  while (auto line = collector_.next_complaint(now)) spdlog::warn("{}", *line);
  // One that serves another job is not there for us.
  const Instant heard = core_.collector_is_busy() ? Instant{} : core_.collector_heard();
  if (auto line = collector_watch_.update(heard, now)) spdlog::info("{}", *line);
  if (core_.collector_is_busy() && !std::exchange(told_busy_, true)) {
    spdlog::info(
        "waiting for the collector at {}: it serves another job; with the same input, --resume "
        "goes on with it",
        options_.collector);
  }
  if (auto line = worker_watch_.update(needs_worker() ? Instant{} : now, now)) {
    spdlog::info("{}", *line);
  }
  if (before_) {
    const bool needed = !source_.ended() && core_.phase() != ProducerCore::Phase::done;
    const Instant before_heard = needed ? before_->core().heard() : now;
    if (auto line = before_watch_->update(before_heard, now)) spdlog::info("{}", *line);
    while (auto line = before_->port().next_complaint(now)) spdlog::warn("{}", *line);
  }
  for (const std::string& line : nonsense_.due_lines(now)) spdlog::warn("{}", line);
  counters_.tasks_read.store(core_.next_index(), std::memory_order_relaxed);
  counters_.failed.store(core_.failed(), std::memory_order_relaxed);
  counters_.finished.store(core_.finished(), std::memory_order_relaxed);
  counters_.input_ended.store(source_.ended(), std::memory_order_relaxed);
  counters_.in_flight.store(core_.in_flight(), std::memory_order_relaxed);
  const std::string* collector = collector_watch_.waits_for();
  const std::string* whom = collector != nullptr ? collector : worker_watch_.waits_for();
  if (whom == nullptr && before_watch_) whom = before_watch_->waits_for();
  counters_.waits_for.store(whom, std::memory_order_relaxed);
}

void Producer::publish(Instant now) {
  if (published_.is_wanted()) published_.publish(status_at(now));
}

ProducerStatus Producer::status_at(Instant now) {
  ProducerStatus status = core_.status(now);
  status.input_ended = source_.ended();
  status.dropped_messages += undecoded_;
  status.refused_connections = workers_.refused();
  status.tasks_expected = source_.tasks_expected(status.tasks_read);
  const bool is_done = core_.phase() == ProducerCore::Phase::done;
  if (!is_done && !collector_watch_.is_there(now))
    status.missing.push_back(collector_watch_.whom());
  if (before_) {
    const StageBeforeCore& before = before_->core();
    status.stage_before = {.lines = before.position(),
                           .total = before.total(),
                           .bytes = before.bytes(),
                           .refused = before.refused_senders()};
    status.dropped_messages += before.dropped_messages() + before_->undecoded();
    status.refused_connections += before_->port().refused();
    const bool needed = !is_done && !source_.ended();
    if (needed && !before_watch_->is_there(now)) status.missing.push_back(before_watch_->whom());
  }
  if (needs_worker()) status.missing.push_back(worker_watch_.whom());
  return status;
}

std::optional<RunEnd> Producer::ended(Instant now) {
  using Phase = ProducerCore::Phase;
  using Kind = RunEnd::Kind;
  if (core_.phase() == Phase::fenced) {
    return RunEnd{.kind = Kind::fenced, .why = "a newer producer of this job took over"};
  }
  if (core_.phase() == Phase::forgotten) {
    return RunEnd{.kind = Kind::forgotten,
                  .why = "the collector at " + options_.collector +
                         " began anew and lacks what it had taken; with "
                         "--output FILE and --resume it would go on"};
  }
  if (core_.phase() == Phase::other_input) {
    return RunEnd{.kind = Kind::other_input,
                  .why = "--input: " + difference_text(core_) +
                         "; resume with the same input, or start anew with --overwrite"};
  }
  if (core_.phase() == Phase::done) {
    const bool is_known = !before_ || core_.is_input_gone() || before_->core().over(now);
    if (core_.over(now) && is_known) return RunEnd{.counts = core_.counts()};
    return std::nullopt;
  }
  if (auto end = ended_by_peers(now)) return end;
  if (draining_since_ && (core_.drained() || now - *draining_since_ >= options_.drain_timeout)) {
    return RunEnd{
        .kind = Kind::interrupted,
        .why = "stopped before the end of the job; --resume goes on with what the collector has"};
  }
  return std::nullopt;
}

std::optional<RunEnd> Producer::ended_by_peers(Instant now) const {
  using Kind = RunEnd::Kind;
  for (const PeerWatch* watch :
       {&collector_watch_, &worker_watch_, before_watch_ ? &*before_watch_ : nullptr}) {
    if (watch != nullptr && watch->timed_out(now))
      return RunEnd{.kind = Kind::no_peer, .why = watch->whom() + " did not come"};
  }
  if (!before_ || !before_->core().shorter_total()) return std::nullopt;
  const std::uint64_t lines = before_->core().position();
  return RunEnd{.kind = Kind::other_input,
                .why = before_watch_->whom() + " ends at line " +
                       std::to_string(*before_->core().shorter_total()) + ", before it had " +
                       std::to_string(lines) + "; resume to compare what it has now"};
}

}  // namespace fetchline
