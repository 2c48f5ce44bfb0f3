// The worker's side of the protocol as a state machine. Pure: messages, finished transfers and
// time go in; messages and orders for the fetchers come out. Owned by the relay thread.
//
// A worker has one link or several: a link is a producer and the collector of its job. A link
// carries one job at a time; jobs of different links never meet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/codec.h"
#include "proto/instant.h"
#include "proto/messages.h"
#include "worker/fetcher.h"
#include "worker/job_session.h"

namespace fetchline {

class WorkerCore {
 public:
  static constexpr std::chrono::seconds kHeartbeat{1};
  // Reports of finished tasks are credit: they leave at once, but not more often than this.
  static constexpr std::chrono::milliseconds kReportInterval{2};
  // Of results of one job that are not acknowledged.
  static constexpr std::size_t kHeldBytes = std::size_t{32} << 20;
  static constexpr std::chrono::seconds kGone{3};  // so silent, a producer reads no reports

  struct Settings {
    WorkerId id{};
    std::string name;          // "host:pid"
    std::uint32_t slots = 50;  // transfers at once, all jobs together
    std::size_t links = 1;
    bool keep_alive = false;              // stay when the jobs are done
    std::size_t held_bytes = kHeldBytes;  // of unacknowledged results; then only heads start
  };
  explicit WorkerCore(Settings settings);

  void on_producer_message(std::size_t link, Received received, Instant now);
  void on_collector_message(std::size_t link, Received received, Instant now);
  [[nodiscard]] bool has_job(JobSlot slot) const;  // else nobody waits for what it fetched
  void on_fetched(Fetched&& fetched);
  void advance(Instant now);
  void set_slots(std::uint32_t slots) { slots_ = slots; }  // from now on; settings' at first
  void producer_unreached() { last_heartbeat_ = {}; }      // say at once again what did not leave
  void drain();  // take no more, give back what is not started, finish what runs

  enum class To : std::uint8_t { producer, collector };
  struct Outgoing {
    std::size_t link = 0;
    To to = To::producer;
    Frames frames;
  };
  [[nodiscard]] std::vector<Outgoing> take_outgoing();
  // Orders for the fetchers. OpenJob and CloseJob are for all of them, a Fetch is for any one.
  [[nodiscard]] std::vector<FetchCommand> take_commands();
  // Results for the link's collector, asked for until there are none; taken back when not sent.
  [[nodiscard]] std::optional<Frames> next_results(std::size_t link, Instant now);
  void results_not_sent(std::size_t link);

  [[nodiscard]] bool over() const;  // nothing left to do, and nobody waits for us
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] std::vector<BodyBudget::Head> heads() const;  // one a job, as far as we know
  // Results of the link are with us that its collector has not acknowledged, or its producer is
  // there without a job, because it has not heard from the collector.
  [[nodiscard]] bool awaits_collector(std::size_t link) const {
    const auto& session = links_[link].session;
    return session ? !session->outbox().empty() : links_[link].producer_waits;
  }
  // The link's collector takes no results of the producer's job, because it has another.
  [[nodiscard]] bool collector_is_busy(std::size_t link) const {
    return links_[link].collector_busy;
  }
  [[nodiscard]] Instant next_report_due() const { return last_report_ + kReportInterval; }
  [[nodiscard]] bool has_reports() const;
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_; }

 private:
  struct Link {
    std::optional<JobSession> session;
    Instant producer_heard{};
    bool producer_left = false;   // it said Bye; it may come back
    bool producer_waits = false;  // it has no job
    bool collector_busy = false;  // it has another job
    bool finished = false;        // its job is done and nothing more is expected
  };

  void on_tasks(Link& link, Received& received, Tasks& message, Instant now);
  void on_done(std::size_t number, const Received& received);
  void end_session(Link& link);
  void start_tasks();
  void send_heartbeats(Instant now);
  void say_bye(std::size_t number);
  void leave_when_drained(Instant now);
  [[nodiscard]] bool wants_none(const Link& link, Instant now) const;
  [[nodiscard]] static bool is_idle(const Link& link, Instant now);
  [[nodiscard]] std::uint32_t share_of(std::uint32_t amount) const;

  const Settings settings_;
  std::uint32_t slots_;
  std::vector<Link> links_;
  std::size_t next_link_ = 0;  // whose turn it is to start a task
  std::uint32_t next_slot_ = 1;
  std::uint64_t heartbeat_seq_ = 0;
  bool draining_ = false;
  bool left_ = false;
  Instant last_heartbeat_{};
  Instant last_report_{};
  std::vector<Outgoing> outgoing_;
  std::vector<FetchCommand> commands_;
  std::uint64_t dropped_ = 0;
};

}  // namespace fetchline
