// A CollectorCore among producers and workers that say anything in any order, and an owner that
// writes, saves, waits and dies as Collector may: see the invariants of its header and of
// proto/PROTOCOL.md, 6. The input: settings, then events.
#include "collector/collector_core.h"

#include <map>
#include <optional>

#include "tests/fuzz/events.h"

namespace fetchline::fuzz {
namespace {

const JobId kJob = job_number(1);
constexpr std::size_t kMostBodyBytes = 400;

// A hash that a recap may say of it, or another.
std::uint64_t hash_of(Index index, bool other) { return 2 * index + (other ? 101 : 100); }

class Scene {
 public:
  explicit Scene(Bytes input) : input_(input) {
    settings_.log = 1;
    settings_.window = 1U + input_.below(kIndices);
    settings_.memory_bytes = input_.number(2);
    if (input_.flip()) settings_.journal_limit_bytes = 1 + input_.number(2);
    start({});
  }

  void play() {
    while (!input_.empty() && !core_->over(now_)) {
      event();
      look();
    }
  }

 private:
  [[nodiscard]] bool has_journal() const { return settings_.journal_limit_bytes > 0; }

  void start(const std::optional<CollectorCore::Recovered>& recovered) {
    settings_.boot = BootId{++boots_};
    seq_ = 0;
    stored_.clear();
    core_.emplace(settings_, recovered);
    for (const auto& [index, result] : journal_) {
      core_->restore(index, result.task_hash, place_of(index));
      stored_[index] = result.attempts;
    }
  }

  void event() {
    switch (input_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return results();
      case 4:
        return open();
      case 5:
        return end();
      case 6:
        now_ += time_step(input_);
        return core_->advance(now_);
      case 7:
      case 8:
        return core_->advance(now_);
      case 9:
      case 10:
        return put_out();
      case 11:
        return save();
      case 12:
        return flush();
      case 13:
        return say_other();
      case 14:
        return finish();
      default:
        return seldom();
    }
  }

  template <class T>
  void says(const PeerId& peer, T message) {
    const JobId job = input_.below(8) == 0 ? job_number(input_.below(3)) : kJob;
    core_->on_message(peer, {job, Epoch{input_.below(4)}, Message(std::move(message))}, now_);
  }

  void open() {
    Open open;
    open.nonce = 1U + input_.below(3);
    open.in_hand = input_.below(2);
    open.resume = input_.flip();
    says("producer", open);
  }

  void results() {
    Results message;
    message.sender = WorkerId{input_.below(4)};
    const std::size_t count = 1U + input_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      Result& result = message.results.emplace_back();
      result.index = small_index(input_);
      result.outcome = static_cast<Outcome>(input_.below(kOutcomeCount));
      result.attempts = ++marks_;
      result.task_hash = hash_of(result.index, false);
      result.body.assign(input_.below(5) * (kMostBodyBytes / 4), 'x');
      if (input_.below(16) == 0) result.meta = "{\n}";
    }
    const Results copy = message;
    says("worker", std::move(message));
    for (const Result& result : copy.results) {
      const Result* held = core_->reorder().unsaved(result.index);
      if (held == nullptr) continue;
      const auto [at, is_new] = stored_.emplace(result.index, held->attempts);
      check(at->second == held->attempts, "the first that was taken stands");
      check(result.meta.empty() || held->attempts != result.attempts, "meta is JSON on one line");
    }
  }

  void end() { says("producer", End{small_index(input_)}); }

  void say_other() {
    switch (input_.below(6)) {
      case 0:
        return says("worker", Bye{WorkerId{input_.below(4)}});
      case 1:
        return says("producer", Bye{.begun_below = small_index(input_)});
      case 2:
        return recap();
      case 4:
        return says("producer", Begin{small_index(input_)});
      case 3:
        return says("worker", Heartbeat{});
      default:
        return says("producer", State{});
    }
  }

  void recap() {
    Recap recap;
    recap.first = small_index(input_);
    const std::size_t count = input_.below(6);
    for (std::size_t i = 0; i < count; ++i) {
      const auto kind = input_.below(8);
      recap.hashes.push_back(kind == 0 ? 0 : hash_of(recap.first + i, kind == 1));
    }
    says("producer", std::move(recap));
    for (const Recap& asked : core_->take_recaps()) {
      std::vector<std::uint64_t> known;
      for (Index index = asked.first; index < written_; ++index) {
        if (known.size() < asked.hashes.size()) known.push_back(output_.at(index).task_hash);
      }
      core_->compare(asked, known, now_);
    }
  }

  // As Collector::put_out().
  void put_out() {
    for (int most = input_.below(4); most >= 0 && core_->has_next(); --most) {
      const Index index = core_->watermark();
      if (core_->head_place() != nullptr) {
        check(core_->head_place()->offset == index, "it is where it was saved");
        core_->load_head(journal_.at(index));
      }
      const auto result = core_->take_next();
      check(result != nullptr && result->index == index, "in order, each once");
      check(index == output_.size(), "nothing is out twice");
      check(stored_.at(index) == result->attempts, "what was taken is put out");
      check(!total_ || index < *total_, "nothing behind the end");
      output_.push_back(std::move(*result));
    }
  }

  void flush() {
    if (!has_journal()) return;
    core_->set_written();
    written_ = output_.size();
  }

  // Appended at one time, committed at another: the disk may be full in between.
  void save() {
    if (!has_journal()) return;
    if (saving_.empty() && !saving_control_) {
      if (!core_->save_due(now_)) return;
      if (const auto* control = core_->unsaved_control()) saving_control_ = *control;
      for (const Result* result : core_->take_unsaved()) saving_.emplace(result->index, *result);
    }
    if (input_.below(4) == 0) return;
    for (const auto& [index, result] : saving_) {
      journal_.emplace(index, result);
      core_->set_saved(index, place_of(index));
    }
    saving_.clear();
    if (saving_control_) saved_control_ = saving_control_;
    const auto* control = core_->unsaved_control();
    if (control != nullptr && saving_control_ == *control) core_->set_control_saved();
    saving_control_.reset();
  }

  static JournalPlace place_of(Index index) { return {index, 1, 1000}; }

  void finish() {
    if (!core_->complete() || core_->done()) return;
    check(output_.size() == *core_->total(), "all is out");
    check(total_of(core_->counts()) == output_.size(), "all is counted");
    core_->set_done(now_);
  }

  void seldom() {
    const auto what = input_.below(8);
    if (what == 0) {
      core_->drain(now_);
      drains_ = true;
    } else if (what < 5 && has_journal() && !core_->done()) {
      die();
    }
    if (drains_) (void)core_->drained(now_);
  }

  // What was flushed is there, whether the core was told or not, and what was committed.
  void die() {
    look();
    drains_ = false;
    saving_.clear();
    saving_control_.reset();
    total_ = saved_control_ ? saved_control_->total : std::nullopt;
    if (!saved_control_) {
      check(output_.empty(), "nothing leaves before it is known whose it is");
      return start({});
    }
    if (input_.flip()) output_.resize(written_);
    written_ = output_.size();
    CollectorCore::Recovered recovered;
    recovered.control = *saved_control_;
    recovered.watermark = output_.size();
    for (const Result& result : output_) {
      ++recovered.counts[static_cast<std::size_t>(result.outcome)];
    }
    start(recovered);
  }

  void look() {
    for (auto& outgoing : core_->take_outgoing()) hear(heard(std::move(outgoing.frames)));
    check(core_->watermark() == output_.size(), "the watermark is what is out");
    check(!total_ || core_->total() == total_, "a total stays");
    total_ = core_->total();
    check(!total_ || core_->watermark() <= *total_, "nothing behind the end");
    check_memory();
    if (total_) std::erase_if(stored_, [&](const auto& one) { return one.first >= *total_; });
  }

  void check_memory() const {
    const ReorderBuffer& reorder = core_->reorder();
    const std::size_t head = 2 * (sizeof(Result) + kMostBodyBytes + 100);
    check(reorder.held_bytes() <= settings_.memory_bytes + head, "memory was promised");
    check(reorder.held() <= kIndices, "as many wait as there are");
    check(reorder.held() > 0 || (reorder.held_bytes() == 0 && reorder.saved_bytes() == 0),
          "who holds nothing holds no bytes");
  }

  void hear(const Received& received) {
    if (const auto* state = std::get_if<State>(&received.message)) {
      check_state(received, *state);
    } else if (const auto* acks = std::get_if<Acks>(&received.message)) {
      check_acks(*acks);
    } else if (std::holds_alternative<Done>(received.message)) {
      check(core_->done(), "done is done");
      check(std::get<Done>(received.message).counts == core_->counts(), "it says how it ended");
    } else {
      check(std::holds_alternative<Refused>(received.message), "nothing else is said");
    }
  }

  [[nodiscard]] bool is_safe(Index index) const {
    if (!has_journal()) return index < output_.size() || stored_.contains(index);
    return index < written_ || journal_.contains(index);
  }
  void check_safe(const IndexSet& set, const char* what) const {
    for (const IndexRange& range : set.ranges()) {
      for (Index index = range.first; index <= range.last; ++index) {
        check(is_safe(index) || (total_ && index >= *total_), what);
      }
    }
  }
  void check_watermark(Index watermark) {
    check(watermark <= (has_journal() ? written_ : output_.size()), "below it all is safe");
    check(watermark >= told_watermark_, "a watermark does not go back");
    told_watermark_ = watermark;
  }

  void check_state(const Received& received, const State& state) {
    check(state.boot == settings_.boot && state.seq > seq_, "a newer one has a larger number");
    seq_ = state.seq;
    check_watermark(state.watermark);
    check(state.dispatch_limit <= state.watermark + settings_.window, "within the window");
    check_safe(state.committed, "committed is safe");
    const auto granted = granted_.emplace(state.nonce, received.epoch).first;
    check(granted->second == received.epoch, "an epoch is of one producer");
    if (!has_journal() || core_->done()) return;  // then there is no journal any more
    const bool known = saved_control_ && saved_control_->epochs.contains(state.nonce);
    check(known && saved_control_->epochs.at(state.nonce) == received.epoch,
          "an epoch is saved before it is told");
    check(state.total == saved_control_->total, "a total is saved before it is told");
  }

  void check_acks(const Acks& acks) {
    check(acks.boot == settings_.boot && acks.seq > seq_, "a newer one has a larger number");
    seq_ = acks.seq;
    check_watermark(acks.watermark);
    check_safe(acks.accepted, "nothing is acknowledged before it is safe");
    check(acks.admit_limit > acks.watermark, "the head is always admitted");
  }

  Bytes input_;
  CollectorCore::Settings settings_;
  std::optional<CollectorCore> core_;
  Instant now_ = Instant(std::chrono::seconds(1000));
  std::uint64_t boots_ = 0;
  std::uint32_t marks_ = 0;
  bool drains_ = false;

  std::vector<Result> output_;
  Index written_ = 0;                      // of it, as the core was told
  std::map<Index, std::uint32_t> stored_;  // by the mark of the copy that was taken
  std::map<Index, Result> saving_;
  std::optional<JobControl> saving_control_;
  std::map<Index, Result> journal_;  // committed
  std::optional<JobControl> saved_control_;

  std::uint64_t seq_ = 0;
  Index told_watermark_ = 0;
  std::map<std::uint64_t, Epoch> granted_;  // by nonce
  std::optional<Index> total_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scene({data, size}).play();
  return 0;
}

}  // namespace fetchline::fuzz
