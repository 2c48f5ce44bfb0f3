// What a worker holds of one job: the tasks it was given, what runs, what waits to be known. Pure;
// owned by the worker's relay thread.
//
// A session begins with the first message of a producer's epoch. Tasks of an epoch that ended are
// dropped unless they run already: the newer producer hands them out again. Those that must not be
// requested twice are kept instead and named to it: it cannot know where they are.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "proto/index_set.h"
#include "proto/instant.h"
#include "proto/messages.h"
#include "proto/result_outbox.h"
#include "worker/fetcher.h"
#include "worker/report_queue.h"

namespace fetchline {

class JobSession {
 public:
  JobSession(const JobId& job, Epoch epoch, JobSlot slot, JobSettings settings = {})
      : job_(job), epoch_(epoch), slot_(slot), settings_(std::move(settings)) {}

  // Tasks of this job and of this epoch or a newer one; `returning`: give them back unseen.
  void on_tasks(Epoch epoch, Tasks message, bool returning);
  void on_fetched(Fetched&& fetched);
  void return_queue();  // everything not started goes back

  // The next task to start, lowest index first. When `head_only`, only one that the collector
  // cannot do without: at its watermark or below.
  [[nodiscard]] std::optional<Task> start_next(bool head_only);
  // What is not sent yet, or all `again`; then with what waits here.
  void write_heartbeat(Heartbeat& heartbeat, bool again);

  [[nodiscard]] const JobId& job() const { return job_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] JobSlot slot() const { return slot_; }
  [[nodiscard]] ResultOutbox& outbox() { return outbox_; }
  [[nodiscard]] const ResultOutbox& outbox() const { return outbox_; }
  [[nodiscard]] const ReportQueue& reports() const { return reports_; }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }
  [[nodiscard]] bool is_empty() const {  // of tasks and results
    return running_.empty() && queue_.empty() && outbox_.empty();
  }

 private:
  struct Running {
    std::uint32_t attempt = 1;
    bool may_retry = false;
    bool of_older_epoch = false;  // and not ordered in this one yet
  };

  void begin_epoch(Epoch epoch);
  void take_task(Task task, bool returning);
  [[nodiscard]] bool holds(Index index) const;
  void forget_ended();

  JobId job_;
  Epoch epoch_;
  JobSlot slot_;
  JobSettings settings_;
  IndexSet received_;
  std::map<Index, Task> queue_;
  std::map<Index, Running> running_;
  ResultOutbox outbox_;
  ReportQueue reports_;
  // Of what is held, and of some that was: what must not be requested twice, and what of that an
  // older epoch ordered.
  std::set<Index> unrepeatable_;
  std::set<Index> older_;
};

}  // namespace fetchline
