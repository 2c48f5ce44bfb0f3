// The listener's side of a chain as a state machine: the lines of the stage before, each once and
// in order, whoever sends them. Pure: messages and time go in, messages and text come out. Owned by
// the producer's loop thread.
//
// The position is here and nowhere else, and a new process begins at 0: whether the lines are those
// of before is for the comparison of inputs to say.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "proto/codec.h"
#include "proto/instant.h"
#include "proto/messages.h"

namespace fetchline {

class StageBeforeCore {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;  // of lines not taken yet
  static constexpr std::chrono::seconds kRepeat{1};
  static constexpr std::chrono::milliseconds kWantInterval{
      2};                                              // a Want with news, at most so often
  static constexpr std::chrono::seconds kSilence{4};   // a sender so silent may be replaced
  static constexpr std::chrono::seconds kFarewell{5};  // Enough is repeated for so long

  // `peer`: the connection it came over.
  void on_message(const PeerId& peer, const Received& received, Instant now);
  void advance(Instant now);
  void unreachable(const PeerId& peer);  // nothing connects it to us any more

  struct Outgoing {
    PeerId peer;
    Frames frames;
  };
  [[nodiscard]] std::vector<Outgoing> take_outgoing();

  // Lines in order, each with its newline; empty: none are here now.
  [[nodiscard]] std::string take_text();
  [[nodiscard]] bool ended() const { return total_ && position_ == *total_ && texts_.empty(); }
  // Our own job is done: the lines are not needed any more.
  void set_done(Instant now);
  [[nodiscard]] bool is_done() const { return done_at_.has_value(); }
  [[nodiscard]] bool over(Instant now) const;  // and the sender knows

  [[nodiscard]] Instant heard() const { return heard_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }  // lines that came
  [[nodiscard]] const std::optional<std::uint64_t>& total() const { return total_; }
  // The sender says that there are fewer lines than it has sent: they are not those of before.
  [[nodiscard]] const std::optional<std::uint64_t>& shorter_total() const { return shorter_total_; }
  [[nodiscard]] const JobId& job() const { return job_; }  // of the stage before; none: not known
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of the lines that came
  [[nodiscard]] std::uint64_t refused_senders() const { return refused_; }  // messages of theirs
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }
  [[nodiscard]] bool has_news() const;  // a Want held back for kWantInterval

 private:
  struct Sender {
    PeerId peer;
    BootId boot{};
    Instant heard;
  };
  [[nodiscard]] bool takes(const PeerId& peer, const JobId& job, BootId boot, Instant now);
  void take(Lines lines);
  void refuse(const PeerId& peer, const JobId& job, Refused::Reason reason);
  void send(const PeerId& peer, Frames frames) { outgoing_.push_back({peer, std::move(frames)}); }
  [[nodiscard]] std::uint64_t room() const {
    return kBufferBytes - std::min<std::uint64_t>(kBufferBytes, buffered_bytes_);
  }

  JobId job_;
  std::optional<Sender> sender_;
  std::uint64_t position_ = 0;
  std::optional<std::uint64_t> total_, shorter_total_;
  std::deque<std::string> texts_;
  std::size_t buffered_bytes_ = 0;
  std::uint64_t bytes_ = 0;

  bool want_due_ = false;  // at once
  std::uint64_t told_position_ = 0, told_room_ = 0;
  Instant told_{};
  Instant heard_{};
  std::optional<Instant> done_at_;
  bool bye_heard_ = false;
  std::vector<Outgoing> outgoing_;
  std::uint64_t refused_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace fetchline
