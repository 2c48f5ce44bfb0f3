#include "deploy/process/config_file.h"

#include <gtest/gtest.h>

#include "deploy/process/usage_error.h"
#include "tests/process/scratch_file.h"

namespace fetchline {
namespace {

std::vector<std::string> values_of(const std::string& toml) {
  const ScratchFile file(toml);
  std::vector<std::string> values;
  for (const ConfigEntry& entry : read_config_file(file.path())) {
    values.insert(values.end(), entry.values.begin(), entry.values.end());
  }
  return values;
}

using Texts = std::vector<std::string>;

TEST(ConfigFile, HasKeysWithValuesAndLists) {
  EXPECT_EQ(values_of("a = 5\nb='x y'\n\n# no\nc = [\"1, 2\", \"3\"] # no\nd = true"),
            (Texts{"5", "x y", "1, 2", "3", "true"}));
}

TEST(ConfigFile, AListMaySpanLines) {
  EXPECT_EQ(values_of("a = [ # first\n  \"1\", # second\n  \"2]\",\n]\nb = 3\n"),
            (Texts{"1", "2]", "3"}));
}

TEST(ConfigFile, ANumberSignWithinQuotesIsNoComment) {
  EXPECT_EQ(values_of("user = \"me:pass#1\"  # secret\n"), (Texts{"me:pass#1"}));
}

TEST(ConfigFile, NamesKeysInSectionsInFull) {
  const ScratchFile file("[worker]\na = 5\n");
  const auto entries = read_config_file(file.path());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].key, "worker.a");
}

TEST(ConfigFile, KnowsOnWhichLineAKeyStands) {
  const ScratchFile file("# a = 1\na = [\n  \"b = 2\",\n]\n\n[worker]\n\"b\" = 5\na = 6\n");
  const auto entries = read_config_file(file.path());
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].line, 2U);
  EXPECT_EQ(entries[1].line, 7U);
  EXPECT_EQ(entries[2].line, 8U);
}

TEST(ConfigFile, WithAListThatIsNotClosedIsRefused) {
  EXPECT_THROW(values_of("a = [\n\"1\"\nb = 2\n"), UsageError);
}

TEST(ConfigFile, ThatCannotBeReadIsNamed) {
  for (const std::string path : {"/nowhere/fetchline.toml", "/"}) {
    try {
      (void)read_config_file(path);
      FAIL() << path;
    } catch (const UsageError& error) {
      EXPECT_TRUE(
          std::string(error.what()).starts_with("--config: " + path + ": cannot be read: "));
    }
  }
}

}  // namespace
}  // namespace fetchline
