#include "tests/simulation/simulated_collector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "proto/task_hash.h"

namespace fetchline {

SimulatedCollector::SimulatedCollector(const Plan& plan, Network& network,
                                       std::function<void(const Result&)> check_record)
    : plan_(plan),
      network_(network),
      check_record_(std::move(check_record)),
      disk_(plan.power, plan.segment_entries),
      promised_(plan.tasks) {
  start();
}

void SimulatedCollector::start() {
  ++last_boot_;
  core_.emplace(CollectorCore::Settings{.boot = BootId{last_boot_},
                                        .log = plan_.seed + 1'000 * last_boot_,
                                        .window = plan_.window,
                                        .memory_bytes = plan_.memory_bytes,
                                        .journal_limit_bytes =
                                            disk_.finished() ? 0 : plan_.journal_limit_bytes},
                disk_.recovered());
  saving_.clear();
  saving_control_.reset();
  compared_of_finished_ = 0;
  if (disk_.finished()) return core_->set_done(network_.now());
  for (const auto& [result, place] : disk_.kept()) {
    core_->restore(result.index, result.task_hash, place);
  }
}

void SimulatedCollector::crash() {
  ++crashes_;
  core_.reset();
  disk_.crash([this](std::size_t most) { return network_.draw() % (most + 1); });
  check_kept();
  network_.after(network_.between(0, 3'000'000), [this] { start(); });
}

void SimulatedCollector::on_message(const PeerId& peer, Received received) {
  if (core_ && !over()) core_->on_message(peer, std::move(received), network_.now());
}

void SimulatedCollector::turn(const std::function<void(CollectorCore::Outgoing)>& send) try {
  if (!core_ || over()) return;
  const Instant now = network_.now();
  fuse_.step();
  if (core_->unsaved_control() != nullptr) save();
  put_out();
  save();
  compare_input();
  if (core_->complete() && !core_->done()) finish();
  fuse_.step();
  core_->advance(now);
  watermark_ = std::max(watermark_, core_->watermark());
  for (auto& outgoing : core_->take_outgoing()) {
    fuse_.step();
    check_promises(outgoing.frames);
    send(std::move(outgoing));
  }
  if (core_->over(now)) over_since_ = now;
} catch (const Crash&) {
  crash();
}

void SimulatedCollector::put_out() {
  ASSERT_LE(core_->reorder().held_bytes(), plan_.memory_bytes + sizeof(Result) + 4096)
      << "memory was promised";
  const auto has_room = [this] { return !network_.chance(plan_.slow_output); };
  while (has_room() && core_->has_next()) {
    if (const auto* place = core_->head_place()) core_->load_head(disk_.read(*place));
    fuse_.step();
    const auto result = core_->take_next();
    fuse_.step();
    ASSERT_EQ(result->index, disk_.output().size());
    check_record_(*result);
    disk_.write(*result);
  }
  flush();
}

void SimulatedCollector::flush() {
  if (plan_.journal_limit_bytes > 0 && network_.chance(plan_.full_disk)) return;
  fuse_.step();
  disk_.flush(fuse_);
  fuse_.step();
  if (plan_.journal_limit_bytes == 0) return;
  if (core_->written() >= core_->watermark()) return;
  if (plan_.power) {
    if (network_.now() - last_sync_ < CollectorCore::kSaveAfter) return;
    last_sync_ = network_.now();
    disk_.sync();
    fuse_.step();
  }
  core_->set_written();
  fuse_.step();
  if (disk_.drop_below(core_->written())) check_kept();
  fuse_.step();
}

void SimulatedCollector::save() {
  if (plan_.journal_limit_bytes == 0 || disk_.finished()) return;
  if (saving_.empty() && !saving_control_) {
    if (!core_->save_due(network_.now())) return;
    append_unsaved();
    fuse_.step();
  }
  if (network_.chance(plan_.full_disk)) return;
  disk_.commit();
  fuse_.step();
  for (const auto& [index, place] : saving_) core_->set_saved(index, place);
  saving_.clear();
  fuse_.step();
  const auto* control = core_->unsaved_control();
  if (control != nullptr && saving_control_ == *control) core_->set_control_saved();
  saving_control_.reset();
}

void SimulatedCollector::append_unsaved() {
  if (const auto* control = core_->unsaved_control()) {
    saving_control_ = *control;
    disk_.append(*control);
  }
  for (const Result* result : core_->take_unsaved()) {
    fuse_.step();
    saving_.emplace_back(result->index, disk_.append(*result));
  }
}

void SimulatedCollector::compare_input() {
  for (const Recap& recap : core_->take_recaps()) {
    core_->compare(recap, known_hashes(recap), network_.now());
    fuse_.step();
  }
}

std::vector<std::uint64_t> SimulatedCollector::known_hashes(const Recap& recap) {
  if (plan_.journal_limit_bytes == 0) return {};
  if (!disk_.finished()) {
    if (recap.first >= core_->written()) return {};
    return disk_.hashes(recap.first, recap.hashes.size());
  }
  std::vector<std::uint64_t> hashes(recap.hashes.size(), 0);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const Index index = recap.first + i;
    if (index != compared_of_finished_ || index >= disk_.output().size()) continue;
    ++compared_of_finished_;
    if (is_plain(recap.hashes[i])) hashes[i] = plain_task_hash(disk_.output()[index].url);
  }
  return hashes;
}

void SimulatedCollector::finish() {
  if (!std::exchange(ending_, true) && plan_.dies_at_end > 0) fuse_.light(plan_.dies_at_end);
  if (disk_.flushed() < disk_.output().size()) return;
  counts_ = core_->counts();
  fuse_.step();
  if (plan_.journal_limit_bytes > 0) {
    disk_.finish(core_->job());
    fuse_.step();
    disk_.remove_journal();
    fuse_.step();
  }
  core_->set_done(network_.now());
}

std::optional<Instant> SimulatedCollector::safe_since(Index index) const {
  const auto at = safe_since_.find(index);
  return at == safe_since_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<Index> SimulatedCollector::safe_indices() const {
  std::vector<Index> indices;
  for (Index index = 0; index < plan_.tasks; ++index) {
    if (disk_.is_safe(index)) indices.push_back(index);
  }
  return indices;
}

void SimulatedCollector::promise(const IndexSet& indices) {
  for (const IndexRange& range : indices.ranges()) {
    for (Index index = range.first; index <= range.last; ++index) {
      ASSERT_LT(index, plan_.tasks);
      if (promised_[index]) continue;
      promised_[index] = true;
      safe_since_[index] = network_.now();
      if (plan_.journal_limit_bytes == 0) continue;
      ASSERT_TRUE(disk_.is_safe(index)) << index << " is acknowledged and would be lost";
    }
  }
}

void SimulatedCollector::promise_below(Index watermark) {
  if (watermark <= promised_below_) return;
  IndexSet set;
  set.insert({promised_below_, watermark - 1});
  promised_below_ = watermark;
  promise(set);
}

void SimulatedCollector::check_kept() const {
  for (Index index = 0; plan_.journal_limit_bytes > 0 && index < promised_.size(); ++index) {
    ASSERT_TRUE(!promised_[index] || disk_.is_safe(index)) << index << " was promised and is lost";
  }
}

void SimulatedCollector::check_promises(const Frames& frames) {
  Frames copy;
  for (const zmq::message_t& frame : frames) copy.emplace_back(frame.data(), frame.size());
  auto decoded = decode(std::move(copy));
  const auto* received = std::get_if<Received>(&decoded);
  ASSERT_NE(received, nullptr);
  if (const auto* acks = std::get_if<Acks>(&received->message)) {
    promise(acks->accepted);
    promise_below(acks->watermark);
  } else if (const auto* state = std::get_if<State>(&received->message)) {
    promise(state->committed);
    promise_below(state->watermark);
    if (plan_.journal_limit_bytes == 0 || disk_.finished()) return;
    const auto& control = disk_.safe_control();
    ASSERT_TRUE(control) << "a job is told and would be forgotten";
    const auto granted = control->epochs.find(state->nonce);
    ASSERT_TRUE(granted != control->epochs.end() && granted->second == received->epoch)
        << "an epoch is told and would be forgotten";
    ASSERT_EQ(granted_.try_emplace(received->epoch, state->nonce).first->second, state->nonce)
        << "an epoch was granted twice";
    ASSERT_TRUE(!state->total || control->total == state->total)
        << "a total is told and would be forgotten";
    ASSERT_LE(state->begun_below, control->begun_below) << "is told and would be forgotten";
  } else if (std::holds_alternative<Done>(received->message)) {
    ASSERT_EQ(disk_.flushed(), plan_.tasks) << "done, and not all is out";
    promise_below(plan_.tasks);
  }
}

}  // namespace fetchline
