// What a worker tells those who watch.
#include "worker/worker_status.h"

#include <gtest/gtest.h>

#include "worker/worker_view.h"

namespace fetchline {
namespace {

using namespace std::chrono_literals;

TEST(Durations, CountEachInTheFirstClassThatHoldsIt) {
  Durations durations;
  durations.add(0us);
  durations.add(5ms);
  durations.add(5'001us);
  durations.add(60s);
  durations.add(61s);
  EXPECT_EQ(durations.counts[0], 2U);
  EXPECT_EQ(durations.counts[1], 1U);
  EXPECT_EQ(durations.counts[11], 1U);
  EXPECT_EQ(durations.counts[12], 1U) << "longer than every bound";
  EXPECT_EQ(durations.sum, 121'010'001us);
}

TEST(WorkerView, SaysTheSameInStatusAndMetrics) {
  WorkerStatus status;
  status.name = "box:1";
  status.running = 3;
  status.slots = 50;
  status.outcomes[static_cast<std::size_t>(Outcome::ok)] = 4;
  status.durations.add(2s);
  Observation seen;
  show(status, seen);
  const Json& worker = seen.roles.at("worker");
  EXPECT_EQ(worker.at("running"), 3);
  EXPECT_EQ(worker.at("transfers").dump(), R"({"ok":4})");
  EXPECT_FALSE(worker.contains("commands"));
  const std::string metrics = seen.metrics.text();
  for (const char* line : {"fetchline_worker_transfers_running 3\n",
                           "fetchline_worker_transfers_total{outcome=\"ok\"} 4\n",
                           "fetchline_worker_transfer_duration_seconds_bucket{le=\"1\"} 0\n",
                           "fetchline_worker_transfer_duration_seconds_bucket{le=\"2.5\"} 1\n",
                           "fetchline_worker_transfer_duration_seconds_sum 2\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
}

TEST(WorkerView, TellsOfCommandsWhereThereAreAny) {
  WorkerStatus status;
  status.paused = 7;
  status.commands = {.running = 2, .oldest = 1500ms};
  Observation seen;
  show(status, seen);
  EXPECT_EQ(seen.roles.at("worker").at("paused"), 7);
  EXPECT_EQ(seen.roles.at("worker").at("commands").dump(),
            R"({"running":2,"oldest_age_seconds":1.5})");
  const std::string metrics = seen.metrics.text();
  for (const char* line :
       {"fetchline_worker_transfers_paused 7\n", "fetchline_worker_commands_running 2\n",
        "fetchline_worker_oldest_command_age_seconds 1.5\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
}

}  // namespace
}  // namespace fetchline
