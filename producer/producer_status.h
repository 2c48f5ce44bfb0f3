// How a producer stands, as it tells whoever watches: a value, made by the producer's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.h"

namespace fetchline {

struct ProducerStatus {
  static constexpr std::size_t kMostWorkers = 1'000;  // shown; those that hold most
  static constexpr std::size_t kMostHosts = 10;

  struct Worker {
    std::string name;         // "host:pid"
    std::size_t held = 0;     // tasks that it was handed and has not reported
    std::uint32_t slots = 0;  // transfers at once; none while it wants none
    bool draining = false;
    std::chrono::milliseconds silent{0};
  };
  struct Host {
    std::string name;
    std::size_t in_flight = 0;  // tasks
  };
  // The oldest task that is not out: what everything waits for when it is slow.
  struct Head {
    Index index = 0;
    std::string_view place = "unread";  // as in Ledger::Standing, or unread
    std::string url;                    // without user and password
    std::string worker;                 // that has it; empty: none
    std::uint32_t attempt = 1;
    std::chrono::milliseconds age{0};              // since it was handed to that worker
    std::optional<std::chrono::milliseconds> due;  // until it is tried again
  };

  std::string_view phase = "opening";
  JobId job;
  Epoch epoch{};
  std::uint64_t tasks_read = 0;
  bool input_ended = false;
  bool stopping = false;  // hands out nothing any more
  // In the whole input: exact once it has ended, before that by the share of its file that is read.
  std::optional<std::uint64_t> tasks_expected;
  Index finished = 0;                   // every task below is out
  std::optional<Index> dispatch_limit;  // no task from there on is handed out yet
  std::uint64_t unsent = 0;             // read, never handed out
  std::uint64_t in_flight = 0;
  std::uint64_t waiting_for_retry = 0;
  std::uint64_t suspects = 0;       // that wait for a worker of their own
  std::uint64_t begun = 0;          // tasks that were ever handed out
  std::uint64_t second_leases = 0;  // of those, while another worker had them
  std::uint64_t workers_lost = 0;
  std::uint64_t dropped_messages = 0;
  std::uint64_t refused_connections = 0;  // of those without a key of their role
  std::size_t worker_count = 0;
  std::vector<Worker> workers;
  std::vector<Host> hosts;   // with most tasks in flight
  std::optional<Head> head;  // none when every task that was read is out
  struct StageBefore {
    std::uint64_t lines = 0;  // that came
    std::optional<std::uint64_t> total;
    std::uint64_t bytes = 0;
    std::uint64_t refused = 0;  // messages of other senders
  };
  std::optional<StageBefore> stage_before;  // with --listen
  std::vector<std::string> missing;         // peers without whom nothing goes on
};

}  // namespace fetchline
