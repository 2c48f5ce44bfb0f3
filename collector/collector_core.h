// The collector's side of the protocol as a state machine. Pure: messages and time go in,
// messages and results in order come out. Owned by the collector's loop thread.
//
//   waiting --Open--> collecting --total known and all taken--> complete --set_done()--> done
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "collector/reorder.h"
#include "proto/instant.h"
#include "proto/messages.h"
#include "proto/sockets.h"

namespace fetchline {

class CollectorCore {
 public:
  static constexpr std::chrono::milliseconds kStateInterval{2};  // State leaves at most so often
  static constexpr std::chrono::seconds kRepeat{1};              // Done, until it is known
  static constexpr std::chrono::seconds kFarewell{5};  // the last word is repeated for so long
  static constexpr std::chrono::seconds kGone{3};      // a producer so silent has nothing in hand
  static constexpr std::chrono::milliseconds kQuiet{300};  // results may be later than reports
  static constexpr std::chrono::seconds kForgetPeer{10};   // a silent peer is not waited for

  struct Settings {
    BootId boot{};
    Index window = 100'000;
    std::size_t memory_bytes = std::size_t{256} << 20;
  };
  explicit CollectorCore(const Settings& settings);

  void on_message(const PeerId& peer, Received received, Instant now);
  void advance(Instant now);

  // Nothing new is to be handed out; what is in hand may still come.
  void drain(Instant now);
  // After drain(): nobody who is left has anything in hand for us.
  [[nodiscard]] bool drained(Instant now) const;

  // The next result in order; the caller puts it out before it asks for another.
  [[nodiscard]] std::unique_ptr<Result> take_next();
  [[nodiscard]] bool has_next() const { return reorder_.has_next(); }
  // Every result was taken. The caller makes the output durable, then says set_done().
  [[nodiscard]] bool complete() const { return total_ && reorder_.watermark() == *total_; }
  void set_done(Instant now);

  struct Outgoing {
    PeerId peer;
    Frames frames;
  };
  [[nodiscard]] std::vector<Outgoing> take_outgoing();

  [[nodiscard]] bool has_news() const;  // for the producer, held back for kStateInterval

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool over(Instant now) const;  // done, and everybody who lives knows
  [[nodiscard]] const std::optional<JobId>& job() const { return job_; }
  [[nodiscard]] const OutcomeCounts& counts() const { return counts_; }  // of what was taken
  [[nodiscard]] Index watermark() const { return reorder_.watermark(); }
  [[nodiscard]] std::optional<Index> total() const { return total_; }
  [[nodiscard]] const ReorderBuffer& reorder() const { return reorder_; }
  [[nodiscard]] Instant producer_heard() const { return producer_heard_; }
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }

 private:
  struct Sender {  // of results: a worker, or the producer for lines that are not tasks
    PeerId peer;
    Instant heard;
    std::vector<Index> accepted, refused;  // to be acknowledged
    bool told_tight = false;               // it holds back what is not the head
    Index told_watermark = 0;
  };

  void on_open(const PeerId& peer, const JobId& job, const Open& open, Instant now);
  void on_results(const PeerId& peer, Results& message, Instant now);
  void on_end(Epoch epoch, const End& end);
  void on_bye(Epoch epoch, const Bye& bye);
  void refuse(const PeerId& peer, const JobId& job, Refused::Reason reason);
  void tell_producer(Instant now);
  void tell_senders();
  void update_room();
  void become_tight();
  [[nodiscard]] Index admit_limit() const;
  [[nodiscard]] std::uint64_t byte_window() const;
  void send(const PeerId& peer, Frames frames) { outgoing_.push_back({peer, std::move(frames)}); }

  const BootId boot_;
  ReorderBuffer reorder_;
  OutcomeCounts counts_{};
  Index tight_at_ = 0;  // the watermark when room was last short
  bool tight_ = false;  // memory is nearly full: only the head is admitted

  std::optional<JobId> job_;
  Epoch epoch_{};
  std::map<std::uint64_t, Epoch> epochs_;  // by the nonce each was granted to
  std::uint64_t nonce_ = 0;                // of the current epoch
  std::optional<Index> total_;

  PeerId producer_;
  Instant producer_heard_{};
  bool producer_gone_ = false;  // it said Bye
  std::uint64_t in_hand_ = 0;   // as the producer said last
  Instant last_result_{};
  std::optional<Instant> draining_since_;
  bool state_due_ = false;
  bool whole_state_due_ = false;  // an Open asked for it
  Index told_watermark_ = 0;
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
