// What the producer knows of one connected worker. Pure; owned by the producer's loop thread.
//
// Tasks messages are numbered and the worker's heartbeats say which arrived, so a lost one is
// noticed; its reports are numbered and acknowledged, so none is missed or counted twice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proto/instant.h"
#include "proto/messages.h"

namespace fetchline {

class WorkerSession {
 public:
  // A worker silent for so long is presumed dead and its tasks go to others.
  static constexpr std::chrono::seconds kLease{5};
  // One that runs a suspect alone is given more time, for its death is the last proof: the living
  // are silent too when their words are lost or they are stopped.
  static constexpr std::chrono::seconds kProof{15};
  // Unless its own side has closed its connection. After a partition the kernel closes it too, but
  // not so soon (decisions/0010).
  static constexpr std::chrono::seconds kClosedWithin{4};
  // It speaks each second: what it is given after so long a silence it may never see.
  static constexpr std::chrono::seconds kQuiet{2};
  // A message that a living worker has not confirmed for so long is presumed lost.
  static constexpr std::chrono::seconds kConfirmWithin{3};

  WorkerSession(WorkerId worker, PeerId peer, Instant now)
      : id_(worker), peer_(std::move(peer)), heard_(now) {}

  // Whether it confirms only messages that were sent: others would make what it may have started
  // seem lost.
  [[nodiscard]] bool could_say(const Heartbeat& heartbeat) const;
  // Goes on with the numbers of a session that was forgotten here.
  void adopt_numbers(const Heartbeat& heartbeat);
  // Takes what is new in a heartbeat of this session; returns the reports not seen before.
  std::vector<Report> on_heartbeat(const PeerId& peer, const Heartbeat& heartbeat, Instant now);

  [[nodiscard]] std::uint64_t number_next_message(Instant now);
  struct LostMessage {
    std::uint64_t number = 0;
    bool certain = false;  // the worker would not take it any more: it has a later one
    bool operator==(const LostMessage&) const = default;
  };
  // Messages that will not be confirmed any more; each is named once, and once more when a mere
  // guess has become certain. Asked after a heartbeat.
  [[nodiscard]] std::vector<LostMessage> take_lost_messages();
  // Only the arrival of a later message makes it certain.
  [[nodiscard]] bool doubts_a_message() const { return !doubted_.empty(); }

  // What it certainly had not started when it spoke last. A report means that the lowest of those
  // that waited has taken the slot.
  [[nodiscard]] IndexSet queued() const;
  [[nodiscard]] bool tells_what_it_queues() const { return tells_queued_; }

  // So many tasks are leased to it now that it has said what it holds. What it holds besides, of
  // before it was taken for dead, has slots that it cannot offer: after a break all of it may hang.
  void compare_with_leases(std::size_t leased);

  // It has spoken in the session. Who has not may be a stranger that said hello and went.
  void join() { joined_ = true; }
  [[nodiscard]] bool joined() const { return joined_; }
  // It has named all that it holds since it joined, as it does each second.
  void say_all() { said_all_ = true; }
  [[nodiscard]] bool said_all() const { return said_all_; }

  // It confirmed something, and then said this: it does not know the session any more.
  [[nodiscard]] bool was_established_before(const Heartbeat& login) const {
    return has_settings_ && login.seq > heartbeat_seq_;
  }
  void forget_messages() {  // their tasks went to others
    unconfirmed_.clear();
    doubted_.clear();
    runs_unknown_ = true;
  }
  // Whether nothing runs there but what is leased to it, for all that is known. Not when it may
  // have, or had, what was handed out again because its message was in doubt or it was silent.
  [[nodiscard]] bool runs_only_leased() const { return !runs_unknown_ && doubted_.empty(); }

  // Whether a heartbeat waits for an answer; asking clears it.
  bool take_answer_due() { return std::exchange(answer_due_, false); }

  [[nodiscard]] WorkerId id() const { return id_; }
  [[nodiscard]] const PeerId& peer() const { return peer_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint32_t slots() const {
    return draining_ ? 0 : slots_ - std::min(slots_, unleased_);
  }
  [[nodiscard]] std::uint32_t capacity() const { return slots() == 0 ? 0 : slots() + backlog_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] bool has_settings() const { return has_settings_; }
  [[nodiscard]] std::uint64_t reports_seen() const { return reports_seen_; }
  [[nodiscard]] Instant heard() const { return heard_; }
  // What was said to it could not be: nothing connects it to us.
  void note_unreachable(Instant now) { closed_ = closed_ || now - heard_ < kClosedWithin; }
  // Who is quiet is spoken to each second, to learn of that.
  [[nodiscard]] bool take_probe_due(Instant now);

  [[nodiscard]] bool silent(Instant now, bool runs_alone) const {
    return now - heard_ >= (runs_alone && !closed_ ? kProof : kLease);
  }
  [[nodiscard]] bool quiet(Instant now) const { return now - heard_ >= kQuiet; }

 private:
  WorkerId id_;
  PeerId peer_;
  std::string name_;
  Instant heard_;
  std::uint64_t heartbeat_seq_ = 0;
  std::uint32_t slots_ = 0;
  std::uint32_t backlog_ = 0;
  bool draining_ = false;
  bool has_settings_ = false;  // it received at least one message of this session
  bool answer_due_ = false;
  bool joined_ = false;
  bool said_all_ = false;
  bool closed_ = false;  // its connection, since it was heard
  Instant probed_{};
  std::uint64_t reports_seen_ = 0;
  std::uint64_t last_message_ = 0;
  std::uint64_t newest_received_ = 0;
  std::map<std::uint64_t, Instant> unconfirmed_;  // messages by number, when they were sent
  std::set<std::uint64_t> doubted_;               // unconfirmed for too long
  bool runs_unknown_ = false;  // it has or had tasks that were handed out again meanwhile
  bool tells_queued_ = false;
  IndexSet queued_;             // as it said last
  std::uint64_t taken_up_ = 0;  // reports since then
  std::uint32_t running_ = 0;   // as it said with queued_
  std::uint32_t unleased_ = 0;  // of what it held then
};

}  // namespace fetchline
