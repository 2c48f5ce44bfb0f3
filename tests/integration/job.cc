#include "tests/integration/job.h"

#include <utility>

namespace fetchline {

namespace {

const char* text_of(Layout layout) {
  switch (layout) {
    case Layout::one_process:
      return "OneProcess";
    case Layout::fleet:
      return "Fleet";
    case Layout::fleet_worst_order:
      return "FleetInTheWorstOrder";
  }
  return "Unknown";
}

}  // namespace

void PrintTo(Layout layout, std::ostream* out) { *out << text_of(layout); }

std::string name_of(const testing::TestParamInfo<Layout>& layout) { return text_of(layout.param); }

Job::Job(Layout layout, JobArgs args) : args_(std::move(args)) {
  if (layout == Layout::one_process) {
    whole_ = std::make_unique<RunningProgram>(
        fetchline_path(), args_.tasks + args_.output + args_.effort + args_.verdict,
        RunningProgram::Setup{.stdin_is_pipe = args_.stdin_is_pipe});
    return;
  }
  tasks_ = endpoint(free_port());
  results_ = endpoint(free_port());
  if (layout == Layout::fleet) start_collector();
  for (std::size_t i = 0; i < args_.workers; ++i) add_worker();
  start_producer();
  if (layout == Layout::fleet) return;
  EXPECT_TRUE(eventually([this] { return producer_->says("waiting for the collector"); }));
  start_collector();
}

void Job::start_collector() {
  collector_ = std::make_unique<RunningProgram>(
      collector_path(), Args{"--bind", results_} + args_.output + args_.verdict);
}

void Job::start_producer() {
  producer_ = std::make_unique<RunningProgram>(
      producer_path(),
      Args{"--bind", tasks_, "--collector", results_} + args_.tasks + args_.verdict,
      RunningProgram::Setup{.stdin_is_pipe = args_.stdin_is_pipe});
}

void Job::add_worker() {
  workers_.push_back(std::make_unique<RunningProgram>(
      worker_path(), Args{"--producer", tasks_, "--collector", results_} + args_.effort));
}

int Job::exit_code() {
  const int code = writer().exit_code();
  expect_agreement(code);
  if (testing::Test::HasFailure()) ADD_FAILURE() << stderr_text();
  return code;
}

// Stops at the first who does not end: its wait was long.
void Job::expect_agreement(int code) {
  if (whole_ || code < 0) return;
  EXPECT_EQ(producer_->exit_code(), code);
  for (const auto& worker : workers_) {
    if (testing::Test::HasFailure()) return;
    EXPECT_EQ(worker->exit_code(), 0);
  }
}

void Job::signal(int number) {
  std::vector<RunningProgram*> all = {&reader()};
  if (!whole_) all.push_back(collector_.get());
  for (const auto& worker : workers_) all.push_back(worker.get());
  for (RunningProgram* program : all) {
    EXPECT_TRUE(eventually([&] { return program->has_ended() || program->listens_to(number); }));
  }
  for (RunningProgram* program : all) program->signal(number);
}

std::string Job::stderr_text() const {
  if (whole_) return whole_->stderr_text();
  std::string text = producer_->stderr_text() + collector_->stderr_text();
  for (const auto& worker : workers_) text += worker->stderr_text();
  return text;
}

}  // namespace fetchline
