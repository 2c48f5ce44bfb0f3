// Stages of a chain as real programs: what each of them is, and what comes out of the last.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/collector/temporary_directory.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"

namespace fetchline {

// Index pages that list pages that list images: so many of each, each after a while.
class Site {
 public:
  Site(const Origin& origin, std::size_t indices, std::size_t pages, std::size_t images,
       std::size_t max_delay_ms = 0);

  [[nodiscard]] std::string input() const;  // of the first stage
  [[nodiscard]] const std::vector<std::string>& urls(std::size_t stage) const;  // from 0
  // The records of all that the stage fetches, in order, all of them ok.
  void expect_records(std::size_t stage, const Records& records) const;

 private:
  std::vector<std::string> urls_[3];
};

// One stage, whose processes may be killed and started again. `before` and `next` are endpoints.
class Stage {
 public:
  Stage(Layout layout, std::string output, Args tasks, std::string next, Args more = {});

  void start();  // all of it
  [[nodiscard]] std::vector<std::string> roles() const;
  void start(const std::string& role);
  void kill(const std::string& role);
  [[nodiscard]] RunningProgram& program(const std::string& role) { return *running_.at(role); }
  [[nodiscard]] RunningProgram& reader() { return program(is_whole() ? "fetchline" : "producer"); }
  [[nodiscard]] RunningProgram& writer() { return program(is_whole() ? "fetchline" : "collector"); }
  void signal(int number);

  // Waits for reader and writer, which must agree.
  int exit_code();
  [[nodiscard]] std::string stderr_text() const;
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  [[nodiscard]] bool is_whole() const { return layout_ == Layout::one_process; }

  struct Command {
    std::string path;
    Args args;
  };
  const Layout layout_;
  const std::string output_;
  std::map<std::string, Command> commands_;
  std::map<std::string, std::unique_ptr<RunningProgram>> running_;
};

}  // namespace fetchline
