// One job on either shape of the product: the same flags, the same input, the same expectations.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/integration/program.h"

namespace fetchline {

enum class Layout {
  one_process,
  fleet,              // collector, workers, producer, all at once
  fleet_worst_order,  // workers, then the producer, and the collector when it is already missed
};

void PrintTo(Layout layout, std::ostream* out);
[[nodiscard]] std::string name_of(const testing::TestParamInfo<Layout>& layout);

inline const auto kEveryLayout =
    testing::Values(Layout::one_process, Layout::fleet, Layout::fleet_worst_order);
inline const auto kEitherShape = testing::Values(Layout::one_process, Layout::fleet);

class OnEachLayout : public testing::TestWithParam<Layout> {};

struct JobArgs {
  Args tasks = {};    // the producer's
  Args output = {};   // the collector's
  Args effort = {};   // each worker's
  Args verdict = {};  // --fail-on and --window: the producer's and the collector's
  std::size_t workers = 2;
  bool stdin_is_pipe = false;
};

class Job {
 public:
  Job(Layout layout, JobArgs args);

  [[nodiscard]] RunningProgram& reader() { return producer_ ? *producer_ : *whole_; }
  [[nodiscard]] RunningProgram& writer() { return collector_ ? *collector_ : *whole_; }
  // A fleet's only.
  [[nodiscard]] RunningProgram& worker(std::size_t number) { return *workers_.at(number); }
  void add_worker();

  // Waits for all of them. A fleet's producer and collector must agree and its workers be content.
  int exit_code();
  // To all of them, once each would not just die of it.
  void signal(int number);
  [[nodiscard]] std::string stderr_text() const;

 private:
  void start_collector();
  void start_producer();
  void expect_agreement(int code);

  const JobArgs args_;
  std::string tasks_, results_;  // endpoints
  std::unique_ptr<RunningProgram> whole_, producer_, collector_;
  std::vector<std::unique_ptr<RunningProgram>> workers_;
};

}  // namespace fetchline
