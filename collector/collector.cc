#include "collector/collector.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "collector/scratch_file.h"
#include "proto/json_text.h"
#include "proto/sockets.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};     // repeats are no finer than this
constexpr int kMessagesPerTurn = 256;  // then results leave, and acknowledgements
constexpr std::size_t kBytesPerTurn = std::size_t{16} << 20;  // so that peers are heard meanwhile
constexpr std::chrono::seconds kDiskRetry{1};  // how often a full disk is tried again

// What the next stage reads: the output, or where that cannot be read again what was put there for
// it.
RecordFile records_for_next_stage(const CollectorOptions& options,
                                  const std::optional<AppendFile>& scratch) {
  if (scratch) return {scratch->reader(), scratch->path()};
  FileDescriptor file(open(options.output.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) throw OutputError(options.output, errno);
  return {std::move(file), options.output};
}

// Of a record what the next stage is to know.
Result line_of(const Result& result) {
  Result line;
  line.index = result.index;
  line.outcome = result.outcome;
  line.emit = result.emit;
  return line;
}

// What a result occupies beside its own bytes (frames that are being put together, what the
// allocator cannot give back) has the last quarter.
std::size_t share_of_results(std::uint64_t memory_bytes) { return memory_bytes / 4 * 3; }

CollectorCore::Settings core_settings(const CollectorOptions& options, const StageLog& log) {
  return {.boot = BootId{random_u64()},
          .log = random_u64(),
          .beginning = {.format = std::string(to_string(options.format)),
                        .output_dir = to_utf8(options.output_dir),
                        .emit = options.emit ? to_string(*options.emit) : std::string(),
                        .body = options.record.body,
                        .headers = options.record.headers,
                        .started_at = std::chrono::duration_cast<milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())},
          .window = options.window,
          .memory_bytes = share_of_results(options.memory_bytes),
          .journal_limit_bytes =
              log.journal ? std::max(kLeastSpillBytes, options.spill_limit_bytes) : 0};
}

}  // namespace

Collector::Collector(zmq::context_t& context, CollectorOptions options)
    : options_(std::move(options)),
      port_(context, options_.bind, read_keys(options_.keys, Role::collector)),
      log_(open_stage_log(options_)),
      core_(core_settings(options_, log_), log_.recovered),
      producer_watch_("a producer at " + port_.shown(), options_.peer_timeout,
                      std::chrono::steady_clock::now()) {
  manifest_.format = to_string(options_.format);
  manifest_.output = options_.output;
  manifest_.output_dir = options_.output_dir;
  manifest_.emit = core_.beginning().emit;
  if (options_.emit) emitter_.emplace(*options_.emit);
  const auto started_at = core_.beginning().started_at;
  manifest_.started_at = std::chrono::system_clock::time_point(started_at);
  for (const auto& [index, hash, place] : log_.waiting) core_.restore(index, hash, place);
  log_.waiting = {};
  counters_.records.store(core_.watermark());  // what this run begins with
  counters_.ok.store(ok_of(core_.counts()));
  if (options_.next.empty() || (log_.finished && log_.finished->taken)) return;
  if (!log_.sink->is_file() || options_.output == "-") scratch_ = open_scratch_file();
  next_.emplace(options_.next, read_keys(options_.keys, Role::collector), options_.next_timeout,
                records_for_next_stage(options_, scratch_), wakeup_);
}

RunEnd Collector::run(std::stop_token drain, std::stop_token abort) try {
  const std::stop_callback on_drain(drain, [this] { wakeup_.notify(); });
  const std::stop_callback on_abort(abort, [this] { wakeup_.notify(); });
  spdlog::debug("results at {}", port_.shown());
  if (log_.finished) core_.set_done(std::chrono::steady_clock::now());
  while (true) {
    const Instant now = std::chrono::steady_clock::now();
    receive(now);
    if (core_.unsaved_control() != nullptr) save(now);
    put_out(now);
    save(now);
    compare_input(now);
    speak_to_next_stage(now);
    if (core_.complete() && !core_.done()) finish(now);
    core_.advance(now);
    send();
    report(now);
    publish(now);
    if (drain.stop_requested() && !draining_since_) {
      draining_since_ = now;
      core_.drain(now);
    }
    if (auto end = ended(now)) return leave(std::move(*end));
    if (abort.stop_requested()) return stopped("stopped");
    wait(now);
  }
} catch (const OutputError& error) {
  discard_if_refused(error);
  throw;
}

void Collector::wait(Instant now) {
  auto timeout = core_.has_news() ? CollectorCore::kStateInterval : kTick;
  if (log_.journal && !output_full_ && core_.written() < core_.watermark()) {
    timeout = std::min(timeout, CollectorCore::kSaveAfter);
  }
  if (const auto due = core_.next_save_due(); due && !journal_full_) {
    timeout = std::clamp(std::chrono::ceil<milliseconds>(*due - now), milliseconds(0), timeout);
  }
  if (core_.has_next() && log_.sink->has_room() && !output_full_ && !next_full_)
    timeout = milliseconds(0);
  const int blocked = log_.sink->blocked_fd();
  wait_items_.assign({{nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}});
  port_.add_to(wait_items_);
  if (blocked >= 0) wait_items_.push_back({nullptr, blocked, ZMQ_POLLOUT, 0});
  zmq::poll(wait_items_, timeout);
  wakeup_.clear();
}

void Collector::receive(Instant now) {
  port_.tend();
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    auto incoming = port_.receive();
    if (!incoming) return;
    if (auto* received = std::get_if<Received>(&incoming->content)) {
      core_.on_message(incoming->from, std::move(*received), now);
    } else {
      ++undecoded_;
      nonsense_.add(incoming->address, to_string(std::get<DecodeError>(incoming->content)));
    }
  }
}

// Pulled by the sink's room, not pushed: what a slow reader does not take stays in its place, the
// watermark stays with it, and with that the producer.
void Collector::put_out(Instant now) {
  std::size_t bytes = 0;
  while (log_.sink->has_room() && !next_full_ && core_.has_next() && bytes < kBytesPerTurn) {
    if (const auto* place = core_.head_place()) core_.load_head(log_.journal->read(*place));
    const auto result = core_.take_next();
    emit(*result);
    log_.sink->write(*result);
    if (scratch_) append_record(scratch_->tail(), line_of(*result), {.body = false});
    if (log_.hashes) log_.hashes->append(result->task_hash);
    counters_.bytes.fetch_add(result->body.size(), std::memory_order_relaxed);
    bytes += result->memory_bytes();
    if (!log_.sink->has_room()) flush(now);
  }
  flush(now);
}

// A group of them is told together; the word of the next stage is heard once a turn.
void Collector::speak_to_next_stage(Instant now) {
  if (!next_) return;
  if (scratch_ && !try_disk(next_full_, now, [this] { scratch_->flush(); })) return;
  next_->set_stage({.job = core_.unsaved_control() == nullptr ? core_.job() : JobId{},
                    .records = scratch_ ? core_.watermark() : core_.written(),
                    .complete = core_.done()});
  next_standing_ = next_->standing();
  if (next_standing_.over) {
    if (!scratch_ && !taken_marked_) {
      const auto mark = [this] { mark_taken(manifest_path(options_.output)); };
      if (!try_disk(next_full_, now, mark)) return;
      taken_marked_ = true;
    }
    next_->leave();
  }
  core_.set_next_wanted(next_standing_.wanted_record);
}

// Here, where it becomes a record: a result that waited in the journal is none the wiser, and what
// a record says goes on is what goes on.
void Collector::emit(Result& result) {
  if (!emitter_) return result.emit.reset();
  emitter_->apply(result);
  if (result.emit->error.empty()) return;
  not_emitted_.note("--emit: nothing of task " + std::to_string(result.index) + ": " +
                    result.emit->error);
}

// Hashes go before their records. With --durability power both are synced, in groups.
void Collector::flush(Instant now) {
  const bool in_groups = log_.journal && options_.durability == Journal::Durability::power;
  const bool early = now - last_sync_ < CollectorCore::kSaveAfter;
  if (in_groups && early && log_.sink->has_room()) return;
  const bool flushed = try_disk(output_full_, now, [&] {
    if (log_.hashes && log_.hashes->has_pending()) {
      log_.hashes->flush();
      if (in_groups) log_.hashes->sync();
    }
    log_.sink->flush();
    const bool stops = draining_since_.has_value();
    if (log_.sums && log_.sums->is_due(log_.sink->bytes(), now, stops)) {
      log_.sums->note(log_.sink->sum(), now);
    }
  });
  if (flushed && log_.journal && core_.written() < core_.watermark()) note_written(now);
}

// With --durability power written means synced.
void Collector::note_written(Instant now) {
  if (options_.durability == Journal::Durability::power) {
    if (now - last_sync_ < CollectorCore::kSaveAfter) return;
    last_sync_ = now;
    log_.sink->sync();
  }
  core_.set_written();
  log_.journal->drop_below(core_.written());
}

// What waits goes into the journal, many results in one write. While its disk is full nothing of it
// is acknowledged, and nothing more is appended: one group in memory twice is enough.
void Collector::save(Instant now) {
  if (!log_.journal) return;
  if (saving_.empty() && !saving_control_) {
    if (!core_.save_due(now)) return;
    append_unsaved();
  }
  if (!try_disk(journal_full_, now, [this] { log_.journal->commit(); })) return;
  for (const auto& [index, place] : saving_) core_.set_saved(index, place);
  saving_.clear();
  const auto* control = core_.unsaved_control();
  if (control != nullptr && saving_control_ == *control) core_.set_control_saved();
  saving_control_.reset();
}

void Collector::append_unsaved() {
  if (const auto* control = core_.unsaved_control()) {
    saving_control_ = *control;
    log_.journal->append(*control);
  }
  for (const Result* result : core_.take_unsaved()) {
    saving_.emplace_back(result->index, log_.journal->append(*result));
  }
}

void Collector::compare_input(Instant now) {
  for (const Recap& recap : core_.take_recaps()) {
    if (log_.finished_output) {
      core_.compare(recap, log_.finished_output->hashes_for(recap), now);
    } else if (log_.hashes && recap.first < core_.written()) {
      core_.compare(recap, log_.hashes->read(recap.first, recap.hashes.size()), now);
    } else {
      core_.compare(recap, {}, now);
    }
  }
}

// Somebody may make room on a full disk: until then everything waits, and nothing is lost. Whether
// it was written.
bool Collector::try_disk(DiskFull& full, Instant now, const std::function<void()>& write) {
  if (full && now - full->tried < kDiskRetry) return false;
  try {
    write();
    if (full) spdlog::info("there is room again ({})", full->what);
    full.reset();
    return true;
  } catch (const OutputError& error) {
    const bool waits = !draining_since_ && !stopping_.load(std::memory_order_relaxed);
    if (!error.is_disk_full() || !log_.sink->can_wait_for_room() || !waits) throw;
    const bool is_told = full && now - full->told < PeerWatch::kNextNotice;
    if (!is_told) spdlog::error("{}; waiting for room", error.what());
    full = {.tried = now, .told = is_told ? full->told : now, .what = error.what()};
    return false;
  }
}

void Collector::finish(Instant now) {
  if (output_full_ || log_.sink->blocked_fd() >= 0) return;
  if (log_.journal && core_.written() < core_.watermark()) return;
  const bool finished = try_disk(manifest_full_, now, [this] {
    const ResultSink::Totals totals = log_.sink->finish();
    manifest_.job = core_.job();
    manifest_.count = core_.watermark();
    manifest_.outcomes = core_.counts();
    manifest_.bytes = totals.bytes;
    manifest_.sha256 = totals.sha256;
    if (log_.hashes) manifest_.input = log_.hashes->chain();
    manifest_.finished_at = std::chrono::system_clock::now();
    if (log_.journal) write_manifest(manifest_path(options_.output), manifest_);
  });
  if (!finished) return;
  log_.remove_journal(options_.output);
  core_.set_done(now);
}

void Collector::send() {
  for (auto& outgoing : core_.take_outgoing()) {
    // A message that cannot be sent is made good by a later one: see proto/PROTOCOL.md.
    const auto result = port_.send_to(outgoing.peer, outgoing.frames);
    if (result == SendResult::unreachable) core_.unreachable(outgoing.peer);
  }
}

void Collector::report(Instant now) {
  const Instant heard = core_.done() || draining_since_ ? now : core_.producer_heard();
  if (auto line = producer_watch_.update(heard, now)) spdlog::info("{}", *line);
  if (core_.done() && !complete_since_) complete_since_ = now;
  const bool waits = next_ && complete_since_ && now - *complete_since_ >= PeerWatch::kFirstNotice;
  if (waits && !next_standing_.over && !std::exchange(told_complete_, true)) {
    spdlog::info("complete; waiting until {} has finished too", next_->whom());
  }
  for (const std::string& line : nonsense_.due_lines(now)) spdlog::warn("{}", line);
  while (auto line = port_.next_complaint(now)) spdlog::warn("{}", *line);
  while (auto line = not_emitted_.next(now)) spdlog::warn("{}", *line);
  counters_.records.store(core_.watermark(), std::memory_order_relaxed);
  counters_.ok.store(ok_of(core_.counts()), std::memory_order_relaxed);
  const std::string* whom = producer_watch_.waits_for();
  if (whom == nullptr && next_ && !next_standing_.is_there && !next_standing_.over) {
    whom = &next_->whom();
  }
  counters_.waits_for.store(whom, std::memory_order_relaxed);
  counters_.total.store(core_.total().value_or(CollectorCounters::kUnknown),
                        std::memory_order_relaxed);
}

void Collector::publish(Instant now) {
  if (!published_.is_wanted()) return;
  CollectorStatus status = core_.status(now);
  status.body_bytes = counters_.bytes.load(std::memory_order_relaxed);
  status.disk_full = output_full_ || journal_full_ || manifest_full_ || next_full_;
  status.reader_slow = log_.sink->blocked_fd() >= 0;
  if (log_.journal) status.journal_bytes = log_.journal->bytes();
  status.dropped_messages += undecoded_;
  status.refused_connections = port_.refused();
  if (next_) {
    status.next_stage = {.wanted_record = next_standing_.wanted_record,
                         .lines = next_standing_.lines_taken,
                         .total = next_standing_.lines_total,
                         .over = next_standing_.over,
                         .is_busy = next_standing_.is_busy};
    status.dropped_messages += next_standing_.dropped_messages;
    if (!next_standing_.over && !next_standing_.is_there) status.missing.push_back(next_->whom());
  }
  if (!core_.done() && !producer_watch_.is_there(now)) {
    status.missing.push_back(producer_watch_.whom());
  }
  published_.publish(std::move(status));
}

}  // namespace fetchline
