// The producer's flags. What to fetch and how patiently are shared with `fetchline`.
#pragma once

#include <string>
#include <vector>

#include "deploy/process/flags.h"
#include "deploy/process/verdict.h"
#include "producer/producer.h"

namespace fetchline {

// Flags that need a second look once all are known.
struct TaskFlags {
  std::vector<std::string> data;
  bool http1_1 = false;
  bool http2 = false;
  std::string accept;
  bool dry_run = false;
  FailOn fail_on;

  // Puts them into `options`. Throws UsageError.
  void apply_to(ProducerOptions& options) const;
};

void add_input_flags(CLI::App& app, ProducerOptions& options, TaskFlags& flags);
void add_resume_flag(CLI::App& app, ProducerOptions& options);  // `fetchline` has the collector's
void add_patience_flags(CLI::App& app, ProducerOptions& options);
void add_verdict_flags(CLI::App& app, TaskFlags& flags);
void add_listen_flag(CLI::App& app, ProducerOptions& options);  // in the group that is open
void add_producer_fleet_flags(CLI::App& app, ProducerOptions& options);

}  // namespace fetchline
