#include "producer/repetition.h"

#include <gtest/gtest.h>

#include <utility>

namespace fetchline {
namespace {

Task with_method(std::string method) {
  Task task;
  task.method = std::move(method);
  return task;
}

Task with_body(Task task) {
  task.body.emplace(1, 'x');
  return task;
}

TEST(Repetition, IsUpToTheMethod) {
  const JobSettings job;
  EXPECT_EQ(repetition_of(job, Task()), Repetition::any_time);
  EXPECT_EQ(repetition_of(job, with_method("HEAD")), Repetition::any_time);
  for (const char* method : {"OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_EQ(repetition_of(job, with_method(method)), Repetition::when_lost) << method;
  }
  for (const char* method : {"POST", "PATCH", "get", "LOCK"}) {
    EXPECT_EQ(repetition_of(job, with_method(method)), Repetition::never) << method;
  }
}

TEST(Repetition, TakesABodyForAPostUnlessAMethodIsNamed) {
  const JobSettings job;
  EXPECT_EQ(repetition_of(job, with_body(Task())), Repetition::never);
  EXPECT_EQ(repetition_of(job, with_body(with_method("GET"))), Repetition::when_lost);
  EXPECT_EQ(repetition_of(job, with_body(with_method("PUT"))), Repetition::when_lost);
}

TEST(Repetition, LooksAtTheJobWhenTheTaskSaysNothing) {
  JobSettings job;
  job.body.emplace(1, 'x');
  EXPECT_EQ(repetition_of(job, Task()), Repetition::never);
  job.method.assign("PUT");
  EXPECT_EQ(repetition_of(job, Task()), Repetition::when_lost);
  EXPECT_EQ(repetition_of(job, with_method("POST")), Repetition::never);
}

TEST(Repetition, IsAllowedWhenTheUserSaysSo) {
  JobSettings job;
  job.retry_unsafe = true;
  EXPECT_EQ(repetition_of(job, with_method("POST")), Repetition::when_lost);
  EXPECT_EQ(repetition_of(job, Task()), Repetition::any_time);
}

}  // namespace
}  // namespace fetchline
