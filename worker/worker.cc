#include "worker/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "proto/sockets.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};     // heartbeats and resends are no finer than this
constexpr int kMessagesPerTurn = 256;  // so that no socket starves another

FetcherOptions fetcher_options(const WorkerOptions& options) {
  constexpr std::size_t kSpare = 16;  // connections of hosts whose tasks come again soon
  // A transfer that waits for its answer holds a buffer: all of them take no more than this. At
  // 10,000 at once 2 KiB instead of 16 make 18 kB of 22 a transfer; large bodies take more calls.
  constexpr std::size_t kReceiveBytes = std::size_t{16} << 20;
  // Of names, in a process. A lookup is two queries, for IPv4 and IPv6, and dnsmasq, which answers
  // in many networks, refuses what is beyond 150 at once. 20 ms each make 3,200 names a second.
  constexpr std::size_t kLookups = 64;
  return {.worker_name = options.name,
          .max_connections = options.concurrency / thread_count(options) + kSpare,
          .allow_net = options.allow_net,
          .receive_bytes =
              std::clamp<std::size_t>(kReceiveBytes / options.concurrency, 2 * 1024, 16 * 1024),
          .max_lookups = std::max<std::size_t>(kLookups / thread_count(options), 1)};
}

// For large bodies under way, all together; see BodyBudget for what comes on top.
std::size_t body_bytes(const WorkerOptions& options) {
  constexpr std::size_t kLeast = std::size_t{64} << 20;
  if (options.body_bytes > 0) return options.body_bytes;
  constexpr std::size_t kForEachSlot = std::size_t{4} << 20;
  return std::max(kLeast, options.concurrency * kForEachSlot);
}

}  // namespace

std::size_t thread_count(const WorkerOptions& options) {
  const std::uint32_t wanted =
      options.threads > 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  return std::min(wanted, options.concurrency);
}

Worker::Worker(zmq::context_t& context, WorkerOptions options)
    : options_(std::move(options)),
      core_({.id = WorkerId{random_u64()},
             .name = options_.name,
             .slots = options_.concurrency,
             .links = options_.links.size(),
             .keep_alive = options_.keep_alive}),
      fetchers_(thread_count(options_), fetcher_options(options_), body_bytes(options_)) {
  if (!options_.emit.command.empty()) commands_.emplace(options_.emit);
  const Instant now = std::chrono::steady_clock::now();
  const auto timeout = options_.keep_alive ? milliseconds(0) : options_.peer_timeout;
  const Keys keys = read_keys(options_.keys, Role::worker);
  for (const auto& [producer, collector] : options_.links) {
    links_.push_back({.producer = {context, producer, "--producer", Role::producer, keys},
                      .collector = {context, collector, "--collector", Role::collector, keys},
                      .producer_watch = {"the producer at " + producer, timeout, now},
                      .collector_watch = {"the collector at " + collector, timeout, now}});
  }
}

RunEnd Worker::run(std::stop_token drain, std::stop_token abort) {
  const std::stop_callback on_drain(drain, [this] { wakeup_.notify(); });
  const std::stop_callback on_abort(abort, [this] { wakeup_.notify(); });
  Instant now = std::chrono::steady_clock::now();
  while (true) {
    core_.advance(now);
    give_orders();
    send(now);
    report(now);
    publish(now);
    if (auto end = ended(now)) return *end;
    wait(now);
    now = std::chrono::steady_clock::now();
    receive(now);
    if (drain.stop_requested() && !draining_since_) begin_drain(now);
    if (abort.stop_requested()) return {.kind = RunEnd::Kind::interrupted, .why = "stopped"};
  }
}

void Worker::wait(Instant now) {
  auto timeout = kTick;
  if (core_.has_reports()) {
    const auto left = std::chrono::ceil<milliseconds>(core_.next_report_due() - now);
    timeout = std::clamp(left, milliseconds(0), kTick);
  }
  std::vector<zmq::pollitem_t> items;
  for (Link& link : links_) {
    const auto events = [](bool blocked) -> short {
      return blocked ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
    };
    items.push_back({link.producer.socket().handle(), 0, events(link.producer_blocked), 0});
    items.push_back({link.collector.socket().handle(), 0, events(link.collector_blocked), 0});
  }
  for (const int fd : fetchers_.fds()) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  if (commands_) items.push_back({nullptr, commands_->fd(), ZMQ_POLLIN, 0});
  items.push_back({nullptr, wakeup_.fd(), ZMQ_POLLIN, 0});
  zmq::poll(items, timeout);
  wakeup_.clear();
}

void Worker::receive(Instant now) {
  for (std::size_t number = 0; number < links_.size(); ++number) {
    receive_from(links_[number].producer, number, true, now);
    receive_from(links_[number].collector, number, false, now);
  }
  for (Fetched& fetched : fetchers_.take_fetched()) take_fetched(std::move(fetched), now);
  if (!commands_) return;
  for (Fetched& fetched : commands_->take_done()) core_.on_fetched(std::move(fetched));
}

// Where commands are at work on half of what there is memory for, they are what everything waits
// for: a few transfers give them enough to go on with, and more would wait for memory and fail.
std::uint32_t Worker::slots_now() const {
  constexpr std::uint32_t kFew = 4;
  if (!commands_ || commands_->held_bytes() < body_bytes(options_) / 2) return options_.concurrency;
  return std::min<std::uint32_t>(options_.concurrency, commands_->count() + kFew);
}

// Its slot is taken until the command has ended.
void Worker::take_fetched(Fetched fetched, Instant now) {
  note_fetched(fetched.result);
  const bool emits = commands_ && fetched.result.outcome == Outcome::ok;
  if (emits && core_.has_job(fetched.job)) return commands_->run(std::move(fetched), now);
  core_.on_fetched(std::move(fetched));
}

void Worker::receive_from(Connection& connection, std::size_t number, bool is_producer,
                          Instant now) {
  connection.tend(now);
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    auto incoming = connection.receive();
    if (!incoming) return;
    auto* received = std::get_if<Received>(&incoming->content);
    if (received == nullptr) {
      ++undecoded_;
      const Link& link = links_[number];
      nonsense_.add((is_producer ? link.producer_watch : link.collector_watch).whom(),
                    to_string(std::get<DecodeError>(incoming->content)));
    } else if (is_producer) {
      links_[number].producer_heard = now;
      core_.on_producer_message(number, std::move(*received), now);
    } else {
      links_[number].collector_heard = now;
      core_.on_collector_message(number, std::move(*received), now);
    }
  }
}

void Worker::give_orders() {
  auto commands = core_.take_commands();
  if (commands.empty()) return;
  for (FetchCommand& command : commands) {
    if (auto* open = std::get_if<OpenJob>(&command)) apply_ceilings(open->settings);
    if (auto* close = std::get_if<CloseJob>(&command); close && commands_)
      commands_->close(close->job);
    if (auto* fetch = std::get_if<Fetch>(&command)) apply_ceilings(fetch->task);
  }
  fetchers_.order(std::move(commands));
}

void Worker::apply_ceilings(JobSettings& settings) const {
  const auto lower = [](auto& value, const auto& ceiling) {
    using Value = std::remove_reference_t<decltype(value)>;
    const bool unlimited = value == Value{};
    if (ceiling && (unlimited || value > *ceiling)) value = *ceiling;
  };
  lower(settings.connect_timeout, options_.connect_timeout);
  lower(settings.max_time, options_.max_time);
  lower(settings.max_filesize_bytes, options_.max_filesize_bytes);
}

void Worker::apply_ceilings(Task& task) const {
  if (options_.max_time && task.max_time > *options_.max_time) task.max_time = *options_.max_time;
}

void Worker::send(Instant now) {
  for (Link& link : links_) link.producer_blocked = link.collector_blocked = false;
  for (auto& outgoing : core_.take_outgoing()) {
    Link& link = links_[outgoing.link];
    if (outgoing.to == WorkerCore::To::collector) {
      (void)link.collector.send(outgoing.frames);  // a Bye, and nobody is there
    } else if (link.producer.send(outgoing.frames) != SendResult::sent) {
      core_.producer_unreached();
      link.producer_blocked = true;
    }
  }
  for (std::size_t number = 0; number < links_.size(); ++number) {
    while (auto batch = core_.next_results(number, now)) {
      if (links_[number].collector.send(*batch) == SendResult::sent) continue;
      core_.results_not_sent(number);
      links_[number].collector_blocked = true;
      break;
    }
  }
}

void Worker::report(Instant now) {
  for (std::size_t number = 0; number < links_.size(); ++number) {
    Link& link = links_[number];
    for (Connection* connection : {&link.producer, &link.collector}) {
      while (auto line = connection->next_complaint(now)) spdlog::warn("{}", *line);
    }
    if (auto line = link.producer_watch.update(link.producer_heard, now)) spdlog::info("{}", *line);
    watch_collector(number, now);
  }
  for (const std::string& line : nonsense_.due_lines(now)) spdlog::warn("{}", line);
  const std::string* waits_for = nullptr;
  for (const Link& link : links_) {
    for (const PeerWatch* watch : {&link.producer_watch, &link.collector_watch}) {
      if (waits_for == nullptr) waits_for = watch->waits_for();
    }
  }
  counters_.waits_for.store(waits_for, std::memory_order_relaxed);
  counters_.running.store(core_.running(), std::memory_order_relaxed);
  fetchers_.set_held(held_bytes(), core_.heads());
  core_.set_slots(slots_now());
}

// One that serves another job is not there for us.
void Worker::watch_collector(std::size_t number, Instant now) {
  Link& link = links_[number];
  const bool is_busy = core_.collector_is_busy(number);
  const Instant heard = is_busy ? Instant{} : link.collector_heard;
  const Instant seen = core_.awaits_collector(number) ? heard : now;
  if (auto line = link.collector_watch.update(seen, now)) spdlog::info("{}", *line);
  if (!is_busy || std::exchange(link.told_busy, true)) return;
  spdlog::info("waiting for {}: it serves another job than {}", link.collector_watch.whom(),
               link.producer_watch.whom());
}

void Worker::note_fetched(const Result& result) {
  const bool is_ok = result.outcome == Outcome::ok;
  if (is_ok) counters_.ok.fetch_add(1, std::memory_order_relaxed);
  if (result.outcome != Outcome::cancelled) {
    counters_.fetched.fetch_add(1, std::memory_order_relaxed);
  }
  ++status_.outcomes[static_cast<std::size_t>(result.outcome)];
  status_.received_bytes += result.size_download;
  status_.durations.add(result.time_total);
}

std::size_t Worker::held_bytes() const {
  return core_.held_bytes() + (commands_ ? commands_->held_bytes() : 0);
}

void Worker::publish(Instant now) {
  if (!published_.is_wanted()) return;
  WorkerStatus status = status_;
  status.name = options_.name;
  status.slots = options_.concurrency;
  status.running = core_.running();
  status.queued = core_.queued();
  status.held_bytes = core_.held_bytes();
  status.paused = fetchers_.paused();
  if (commands_) {
    status.commands = {.running = commands_->count(),
                       .oldest = now - commands_->oldest().value_or(now)};
  }
  status.draining = draining_since_.has_value();
  status.dropped_messages = core_.dropped_messages() + undecoded_;
  for (const Link& link : links_) {
    for (const PeerWatch* watch : {&link.producer_watch, &link.collector_watch}) {
      if (!watch->is_there(now)) status.missing.push_back(watch->whom());
    }
  }
  published_.publish(std::move(status));
}

void Worker::begin_drain(Instant now) {
  draining_since_ = now;
  spdlog::debug("draining: {} transfers run, {} tasks go back", core_.running(), core_.queued());
  core_.drain();
  if (commands_) commands_->begin_drain();
}

std::optional<RunEnd> Worker::ended(Instant now) {
  if (core_.over()) return RunEnd{};
  if (draining_since_) {
    // The last tenth is for giving back what did not finish.
    const Duration elapsed = now - *draining_since_;
    if (elapsed >= options_.drain_timeout * 9 / 10 && !std::exchange(cancelled_, true)) {
      fetchers_.order({CancelTransfers{}});
      if (commands_) commands_->cancel();
    }
    if (elapsed < options_.drain_timeout) return std::nullopt;
    return RunEnd{.kind = RunEnd::Kind::interrupted,
                  .why = "not everything was given back in time"};
  }
  for (const Link& link : links_) {
    for (const PeerWatch* watch : {&link.producer_watch, &link.collector_watch}) {
      if (!watch->timed_out(now)) continue;
      return RunEnd{.kind = RunEnd::Kind::no_peer, .why = watch->whom() + " did not come"};
    }
  }
  return std::nullopt;
}

}  // namespace fetchline
