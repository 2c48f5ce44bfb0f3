// The collector's side of the protocol as a state machine. Pure: messages and time go in,
// messages and results in order come out. Owned by the collector's loop thread.
//
//   waiting --Open--> collecting --total known and all taken--> complete --set_done()--> done
//
// A result is acknowledged when it is safe. Without a journal that is when it is stored. With one
// it is when the owner says so: set_written() for what stands in the output, set_saved() for what
// stands in the journal. What leaves in order within kSaveAfter never needs the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "collector/collector_status.h"
#include "collector/job_control.h"
#include "collector/reorder.h"
#include "collector/task_comparison.h"
#include "proto/codec.h"
#include "proto/instant.h"
#include "proto/messages.h"

namespace fetchline {

class CollectorCore {
 public:
  static constexpr std::chrono::milliseconds kStateInterval{2};  // State leaves at most so often
  static constexpr std::chrono::seconds kRepeat{1};              // Done, until it is known
  static constexpr std::chrono::seconds kFarewell{5};  // the last word is repeated for so long
  static constexpr std::chrono::seconds kGone{3};      // a producer so silent has nothing in hand
  static constexpr std::chrono::milliseconds kQuiet{300};  // results may be later than reports
  static constexpr std::chrono::seconds kForgetPeer{10};   // a silent peer is not waited for
  // Results are saved in groups: one write for many, and none for those that leave meanwhile. A
  // sender waits for nothing but the acknowledgement.
  static constexpr std::chrono::milliseconds kSaveAfter{10};
  static constexpr std::size_t kSaveBytes = std::size_t{1} << 20;

  struct Settings {
    BootId boot{};
    std::uint64_t log = 0;  // names a new journal; one that is recovered has its name
    Beginning beginning{};  // as well
    Index window = kDefaultWindow;
    std::size_t memory_bytes = std::size_t{256} << 20;
    std::uint64_t journal_limit_bytes = 0;  // 0: there is no journal
  };
  // What an earlier collector of this output left behind.
  struct Recovered {
    JobControl control;
    Index watermark = 0;  // records that are out
    OutcomeCounts counts{};
    std::optional<std::uint64_t> chain;  // of the tasks of a job that is done, if it is known
  };
  explicit CollectorCore(const Settings& settings, const std::optional<Recovered>& recovered = {});
  // After that, each result that stands in the journal.
  void restore(Index index, std::uint64_t task_hash, const JournalPlace& place);

  void on_message(const PeerId& peer, Received received, Instant now);
  void advance(Instant now);

  // Nothing new is to be handed out; what is in hand may still come.
  void drain(Instant now);
  // After drain(): nobody who is left has anything in hand for us.
  [[nodiscard]] bool drained(Instant now) const;

  // The next result in order; the caller puts it out before it asks for another.
  [[nodiscard]] std::unique_ptr<Result> take_next();
  // None leaves before the journal knows whose it is.
  [[nodiscard]] bool has_next() const { return !control_due_ && reorder_.has_next(); }
  // Where the next result stands when it is not in memory; then load_head() before take_next().
  [[nodiscard]] const JournalPlace* head_place() const { return reorder_.head_place(); }
  void load_head(Result result) { reorder_.load_head(std::move(result)); }
  // Everything taken so far is out and safe.
  void set_written();
  // The next stage wants lines of this record: nothing is handed out that is a window beyond it.
  void set_next_wanted(Index record);
  // Every result was taken. The caller makes the output durable, then says set_done().
  [[nodiscard]] bool complete() const { return total() && reorder_.watermark() == *total(); }
  void set_done(Instant now);

  // Results that wait and should go into the journal now, and the control when it has changed. The
  // caller commits both, then says set_saved() of each and set_control_saved().
  [[nodiscard]] bool save_due(Instant now) const;
  [[nodiscard]] std::optional<Instant> next_save_due() const;
  [[nodiscard]] std::vector<const Result*> take_unsaved();
  void set_saved(Index index, const JournalPlace& place);
  [[nodiscard]] bool has_unsaved() const { return !unsaved_.empty(); }
  [[nodiscard]] const JobControl* unsaved_control() const;
  void set_control_saved();

  // Recaps to be compared, each with the hashes of those of its indices that are out already;
  // those of what was taken and is not written yet need not be among them.
  [[nodiscard]] std::vector<Recap> take_recaps() { return comparison_.take_recaps(); }
  void compare(const Recap& recap, const std::vector<std::uint64_t>& known, Instant now);

  struct Outgoing {
    PeerId peer;
    Frames frames;
  };
  [[nodiscard]] std::vector<Outgoing> take_outgoing();

  [[nodiscard]] bool has_news() const;  // for the producer, held back for kStateInterval

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool over(Instant now) const;  // done, and everybody who lives knows
  [[nodiscard]] bool has_job() const { return !control_.job.is_none(); }
  [[nodiscard]] const JobId& job() const { return control_.job; }
  [[nodiscard]] const Beginning& beginning() const { return control_.beginning; }
  [[nodiscard]] const OutcomeCounts& counts() const { return counts_; }  // of what was taken
  [[nodiscard]] Index watermark() const { return reorder_.watermark(); }
  [[nodiscard]] Index written() const { return written_; }  // every index below is out and safe
  [[nodiscard]] std::optional<Index> total() const { return control_.total; }
  // Nothing connects it to us any more. When the job is done there is nobody to wait for then: a
  // worker that lives hears of the end from the producer too.
  void unreachable(const PeerId& peer);
  [[nodiscard]] const ReorderBuffer& reorder() const { return reorder_; }
  [[nodiscard]] CollectorStatus status(Instant now) const;  // what the core knows of it
  [[nodiscard]] Instant producer_heard() const { return producer_heard_; }
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }

 private:
  struct Sender {  // of results: a worker, or the producer for lines that are not tasks
    PeerId peer;
    Instant heard;
    std::vector<Index> unsafe;             // stored, not to be acknowledged yet; repeats allowed
    std::size_t most_unsafe = 0;           // then it is looked for repeats
    std::uint64_t safe_changes = 0;        // those that unsafe was searched after
    std::vector<Index> accepted, refused;  // to be acknowledged
    bool told_tight = false;               // it holds back what is not the head
    bool is_awaited = false;               // to say Bye: it was asked for what it sent
    Index told_watermark = 0;
  };

  void on_open(const PeerId& peer, const Received& received, const Open& open, Instant now);
  void refuse_outdated(const PeerId& peer);
  void on_results(const PeerId& peer, Results& message, Instant now);
  void on_end(Epoch epoch, const End& end);
  void on_begin(Epoch epoch, const Begin& begin);
  void set_begun_below(Index mark);
  void on_open_when_done(const PeerId& peer, const Open& open, Instant now);
  void tell_producer_when_done(Instant now);
  void tell_state(Instant now);
  void begin_epoch(const Open& open);
  void begin_comparison(const Open& open);
  [[nodiscard]] bool is_safe(Index index) const;
  [[nodiscard]] std::uint64_t task_hash(Index index) const;
  void note_stored(Sender& sender, Index index);
  void acknowledge_safe(Sender& sender);
  [[nodiscard]] IndexSet committed() const;
  void note_unsaved(Index index, std::size_t bytes, Instant now);
  [[nodiscard]] Index safe_watermark() const;
  void on_bye(Epoch epoch, const Bye& bye, Instant now);
  void refuse(const PeerId& peer, const JobId& job, const Refused& refused);
  void tell_producer(Instant now);
  void tell_senders();
  void update_room();
  void become_tight();
  [[nodiscard]] Index admit_limit() const;
  [[nodiscard]] std::uint64_t byte_window() const;
  void send(const PeerId& peer, Frames frames) { outgoing_.push_back({peer, std::move(frames)}); }

  const BootId boot_;
  const bool has_journal_;
  ReorderBuffer reorder_;
  Index written_ = 0;
  std::vector<Index> taken_saved_;           // saved, and taken since, and not written; ascending
  std::vector<std::uint64_t> taken_hashes_;  // of the tasks from written_ on; with a journal only
  std::uint64_t safe_changes_ = 0;           // how often something became safe
  std::vector<Index> unsaved_;               // in the order of arrival; some may have left since
  std::size_t most_unsaved_ = 0;             // then those are looked for
  std::size_t unsaved_bytes_ = 0;
  Instant unsaved_since_{};
  OutcomeCounts counts_{};
  Index head_ = 0;  // the watermark, and when it was first seen there with a job
  std::optional<Instant> head_since_;
  Index tight_at_ = 0;  // the watermark when room was last short
  bool tight_ = false;  // memory is nearly full: only the head is admitted

  JobControl control_;
  bool control_due_ = false;  // it changed and the journal does not have it yet
  bool epoch_due_ = false;    // its epoch did
  Index begun_below_ = 0;     // as the journal has it
  Index told_begun_below_ = 0;
  Epoch epoch_{};
  std::uint64_t nonce_ = 0;  // of the current epoch

  TaskComparison comparison_;           // with a producer that resumes
  bool comparison_begun_ = false;       // by this process
  std::optional<std::uint64_t> chain_;  // of a finished job

  PeerId producer_;
  Instant producer_heard_{};
  bool producer_gone_ = false;                 // it said Bye
  std::optional<Instant> none_in_hand_since_;  // as the producer says; since drain()
  Instant last_result_{};
  std::optional<Instant> draining_since_;
  bool state_due_ = false;
  bool whole_state_due_ = false;  // an Open asked for it
  Index told_watermark_ = 0;
  std::optional<Index> next_wanted_;  // with a next stage
  Instant last_state_{};
  std::unordered_map<WorkerId, Sender> senders_;

  std::uint64_t seq_ = 0;
  bool done_ = false;
  Instant done_at_{};
  Instant last_done_{};
  std::vector<Outgoing> outgoing_;
  std::uint64_t dropped_ = 0;
};

}  // namespace fetchline
