// The sender's side of a chain as a state machine: what the producer of the next stage is told of
// this stage's lines. Pure: records, messages and time go in, messages come out. Owned by the
// thread of NextStage.
//
// The next stage owns the position. What is under way to it is kept until it is there; to go back
// farther than that, the records are read again from the first one.
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

class NextStageCore {
 public:
  static constexpr std::chrono::seconds kRepeat{1};  // a sign of life; what was not taken, again
  static constexpr std::size_t kReadAheadBytes = std::size_t{256} << 10;  // of lines not sent yet
  static constexpr std::size_t kMessageBytes = std::size_t{128} << 10;    // and one line more
  static constexpr std::uint64_t kMostCreditBytes = std::uint64_t{4} << 20;  // whatever it grants

  explicit NextStageCore(BootId boot) : boot_(boot) {}

  // What of this stage cannot be forgotten any more.
  struct Stage {
    JobId job;              // none: not known yet
    Index records = 0;      // every record below
    bool complete = false;  // there will be no other
    bool operator==(const Stage&) const = default;
  };
  void set_stage(const Stage& stage);

  // The next record's lines are wanted, from the first record on; after a rewind from there again.
  [[nodiscard]] bool wants_record() const;
  [[nodiscard]] Index next_record() const { return next_record_; }
  void add(std::vector<std::string> lines);
  [[nodiscard]] bool take_rewind();

  void on_message(const Received& received, Instant now);
  // What is to be sent now; asked for until there is nothing. If not_sent() follows, all that was
  // said since the last Want is said again.
  [[nodiscard]] std::optional<Frames> next_message(Instant now);
  void not_sent();

  // The record that the next stage wants lines of; every one before it is taken. Never falls.
  [[nodiscard]] Index wanted_record() const { return wanted_record_; }
  [[nodiscard]] bool over() const { return over_; }  // it needs no more
  // That is noted where it will not be forgotten: it may be told Bye.
  void leave();
  [[nodiscard]] Instant heard() const { return heard_; }
  // It takes another sender's lines: not when it only has to notice that we began anew.
  [[nodiscard]] bool is_busy() const { return refusals_ > 1; }
  // The job whose lines it takes, when that is not ours: for ever.
  [[nodiscard]] const std::optional<JobId>& other_job() const { return other_job_; }
  [[nodiscard]] std::uint64_t lines_taken() const { return base_; }
  [[nodiscard]] const std::optional<std::uint64_t>& total() const { return total_; }
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }

 private:
  struct Line {
    Index record = 0;
    std::string text;
    [[nodiscard]] std::size_t bytes() const { return text.size() + 1; }
  };
  void on_want(const Want& want, Instant now);
  void rewind();
  void drop_taken();
  void go_back();
  void note_wanted();
  [[nodiscard]] bool is_ours(const Received& received) const {
    return !stage_.job.is_none() && received.job == stage_.job;
  }
  [[nodiscard]] bool may_send_line() const;
  [[nodiscard]] Lines next_lines();

  const BootId boot_;
  Stage stage_;
  Index next_record_ = 0;
  std::uint64_t base_ = 0;  // number of lines_.front()
  std::deque<Line> lines_;  // those that may be asked for again, and those read ahead
  std::size_t sent_ = 0;    // of them, from the front
  std::size_t sent_bytes_ = 0, unsent_bytes_ = 0;
  std::optional<std::uint64_t> total_;  // of lines, once the last record is read
  bool total_told_ = false;

  bool asked_ = false;      // a Want was heard
  std::uint64_t from_ = 0;  // the last one's
  std::uint64_t credit_bytes_ = 0;
  Instant moved_{};  // when it moved, or something was sent with nothing under way
  Index wanted_record_ = 0;
  bool rewind_ = false;

  Instant heard_{};
  Instant said_{};
  std::uint64_t refusals_ = 0;  // as busy, in a row
  bool over_ = false;
  bool leaving_ = false;
  bool bye_due_ = false;
  std::optional<JobId> other_job_;
  std::uint64_t dropped_ = 0;
};

}  // namespace fetchline
