#include "producer/task_source.h"

#include <gtest/gtest.h>

#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

// Takes `count` tasks, or all there are.
std::uint64_t take(TaskSource& source, std::uint64_t count) {
  std::uint64_t taken = 0;
  while (taken < count) {
    if (source.next(taken)) {
      ++taken;
    } else if (source.ended() || !source.read_block()) {
      break;
    }
  }
  return taken;
}

TEST(TaskSource, EstimatesItsTasksByTheShareOfTheFileThatIsTaken) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "http://h/" + std::to_string(1'000'000 + i) + "\n";
  write_file(directory.file("in"), text);
  TaskSource source({}, directory.file("in"));
  EXPECT_EQ(source.tasks_expected(0), std::nullopt) << "nothing is known yet";
  EXPECT_EQ(take(source, 250), 250U);
  EXPECT_EQ(source.tasks_expected(250), 1'000U);
  EXPECT_EQ(take(source, 10'000), 750U);
  EXPECT_TRUE(source.ended());
  EXPECT_EQ(source.tasks_expected(1'000), 1'000U);
}

TEST(TaskSource, KnowsTheTasksOfItsArgumentsOnceTheyAreTaken) {
  TaskSource source({"http://a/", "http://b/"}, "");
  EXPECT_EQ(take(source, 10), 2U);
  EXPECT_EQ(source.tasks_expected(2), 2U);
}

}  // namespace
}  // namespace fetchline
