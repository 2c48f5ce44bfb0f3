#include "collector/collector.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "collector/ndjson_sink.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};             // repeats are no finer than this
constexpr int kMessagesPerTurn = 256;          // then results leave, and acknowledgements
constexpr std::chrono::seconds kDiskRetry{1};  // how often a full disk is tried again

OutputFile::Existing existing(const CollectorOptions& options) {
  return options.overwrite ? OutputFile::Existing::overwrite : OutputFile::Existing::refuse;
}

}  // namespace

Collector::Collector(zmq::context_t& context, CollectorOptions options)
    : options_(std::move(options)),
      port_(bind_port(context, options_.bind)),
      sink_(std::make_unique<NdjsonSink>(options_.output, existing(options_), options_.record)),
      core_({.boot = BootId{random_u64()},
             .window = options_.window,
             .memory_bytes = options_.memory_bytes}),
      producer_watch_("a producer at " + shown_endpoint(options_.bind, port_),
                      options_.peer_timeout, std::chrono::steady_clock::now()) {
  manifest_.format = "ndjson";
  manifest_.output = options_.output;
  manifest_.started_at = std::chrono::system_clock::now();
}

RunEnd Collector::run(std::stop_token drain, std::stop_token abort) {
  const std::stop_callback on_drain(drain, [this] { wakeup_.notify(); });
  const std::stop_callback on_abort(abort, [this] { wakeup_.notify(); });
  spdlog::debug("results at {}", shown_endpoint(options_.bind, port_));
  while (true) {
    const Instant now = std::chrono::steady_clock::now();
    receive(now);
    put_out(now);
    if (core_.complete() && !core_.done()) finish(now);
    core_.advance(now);
    send();
    report(now);
    if (drain.stop_requested() && !draining_since_) {
      draining_since_ = now;
      core_.drain(now);
    }
    if (auto end = ended(now)) return *end;
    if (abort.stop_requested()) return {.kind = RunEnd::Kind::interrupted, .why = "stopped"};
    wait();
  }
}

void Collector::wait() {
  const auto timeout = core_.has_news() ? CollectorCore::kStateInterval : kTick;
  const int blocked = sink_->blocked_fd();
  zmq::pollitem_t items[] = {{port_.handle(), 0, ZMQ_POLLIN, 0},
                             {nullptr, wakeup_.fd(), ZMQ_POLLIN, 0},
                             {nullptr, blocked, ZMQ_POLLOUT, 0}};
  zmq::poll(items, blocked >= 0 ? 3 : 2, timeout);
  wakeup_.clear();
}

void Collector::receive(Instant now) {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    auto incoming = receive_from_port(port_);
    if (!incoming) return;
    if (auto* received = std::get_if<Received>(&incoming->content)) {
      core_.on_message(incoming->from, std::move(*received), now);
    } else {
      ++counters_.dropped_messages;
    }
  }
}

// Pulled by the sink's room, not pushed: what a slow reader does not take stays in its place, the
// watermark stays with it, and with that the producer.
void Collector::put_out(Instant now) {
  while (sink_->has_room()) {
    const auto result = core_.take_next();
    if (!result) break;
    sink_->write(*result);
    counters_.bytes.fetch_add(result->body.size(), std::memory_order_relaxed);
    if (!sink_->has_room()) flush(now);
  }
  flush(now);
}

void Collector::flush(Instant now) {
  try_disk(now, [this] { sink_->flush(); });
}

// Somebody may make room on a full disk: until then everything waits, and nothing is lost.
void Collector::try_disk(Instant now, const std::function<void()>& write) {
  if (disk_full_since_ && now - last_disk_try_ < kDiskRetry) return;
  try {
    write();
    if (disk_full_since_) spdlog::info("{}: there is room again", options_.output);
    disk_full_since_.reset();
  } catch (const OutputError& error) {
    if (!error.is_disk_full() || !sink_->can_wait_for_room() || draining_since_) throw;
    if (!disk_full_since_) spdlog::error("{}; waiting for room", error.what());
    if (!disk_full_since_) disk_full_since_ = now;
    last_disk_try_ = now;
  }
}

void Collector::finish(Instant now) {
  if (disk_full_since_ || sink_->blocked_fd() >= 0) return;
  try_disk(now, [this] {
    const ResultSink::Totals totals = sink_->finish();
    manifest_.job = *core_.job();
    manifest_.count = core_.watermark();
    manifest_.outcomes = core_.counts();
    manifest_.bytes = totals.bytes;
    manifest_.sha256 = totals.sha256;
    manifest_.finished_at = std::chrono::system_clock::now();
    const bool is_file = options_.output != "-" && sink_->can_wait_for_room();
    if (is_file) write_manifest(manifest_path(options_.output), manifest_);
  });
  if (!disk_full_since_) core_.set_done(now);
}

void Collector::send() {
  for (auto& outgoing : core_.take_outgoing()) {
    // A message that cannot be sent is made good by a later one: see proto/PROTOCOL.md.
    (void)send_to(port_, outgoing.peer, outgoing.frames);
  }
}

void Collector::report(Instant now) {
  const Instant heard = core_.done() || draining_since_ ? now : core_.producer_heard();
  if (auto line = producer_watch_.update(heard, now)) spdlog::info("{}", *line);
  counters_.records.store(core_.watermark(), std::memory_order_relaxed);
  counters_.ok.store(ok_of(core_.counts()), std::memory_order_relaxed);
  counters_.waiting.store(core_.reorder().held(), std::memory_order_relaxed);
  counters_.waiting_bytes.store(core_.reorder().held_bytes(), std::memory_order_relaxed);
  counters_.total.store(core_.total().value_or(CollectorCounters::kUnknown),
                        std::memory_order_relaxed);
}

std::optional<RunEnd> Collector::ended(Instant now) const {
  if (core_.over(now)) return RunEnd{.counts = core_.counts()};
  if (core_.done()) return std::nullopt;
  if (producer_watch_.timed_out(now)) {
    return RunEnd{.kind = RunEnd::Kind::no_peer, .why = producer_watch_.whom() + " did not come"};
  }
  if (!draining_since_) return std::nullopt;
  const bool all_out = !core_.has_next() && sink_->blocked_fd() < 0 && core_.drained(now);
  if (!all_out && now - *draining_since_ < options_.drain_timeout) return std::nullopt;
  return RunEnd{.kind = RunEnd::Kind::interrupted, .why = "stopped before the end of the job"};
}

}  // namespace fetchline
