#include "collector/body_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "collector/output_error.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

namespace fs = std::filesystem;

class BodyDirectories : public testing::Test {
 protected:
  // errno of writing a body; 0 when it went well.
  static int error_of(BodyDirectory& bodies, const std::string& name) {
    try {
      bodies.write(name, "new");
    } catch (const OutputError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      return error.error;
    }
    return 0;
  }
  [[nodiscard]] std::string body(const std::string& name) const {
    return read_file(path_ + "/" + name);
  }

  const TemporaryDirectory scratch_;
  const std::string path_ = scratch_.file("bodies"), list_ = scratch_.file("list");
};

TEST_F(BodyDirectories, AreMadeWithWhatIsAboveThem) {
  BodyDirectory bodies(scratch_.file("a/b/c"), BodyDirectory::Existing::refuse);
  bodies.write("x", "body");
  bodies.write("empty", "");
  bodies.sync();
  EXPECT_EQ(read_file(scratch_.file("a/b/c/x")), "body");
  EXPECT_EQ(read_file(scratch_.file("a/b/c/empty")), "");
}

TEST_F(BodyDirectories, AreDirectories) {
  write_file(path_, "a file");
  EXPECT_THROW(BodyDirectory(path_, BodyDirectory::Existing::overwrite), OutputError);
}

TEST_F(BodyDirectories, RefuseWhatIsThere) {
  fs::create_directory(path_);
  write_file(path_ + "/x", "old");
  BodyDirectory bodies(path_, BodyDirectory::Existing::refuse);
  bodies.distinguish(list_);
  EXPECT_EQ(error_of(bodies, "x"), EEXIST);
  bodies.discard("x");
  EXPECT_EQ(body("x"), "old");
}

TEST_F(BodyDirectories, OverwriteFilesButWriteThroughNothing) {
  fs::create_directory(path_);
  const std::string elsewhere = scratch_.file("elsewhere");
  write_file(elsewhere, "old");
  write_file(path_ + "/file", "old and longer");
  fs::create_symlink(elsewhere, path_ + "/soft");
  fs::create_hard_link(elsewhere, path_ + "/hard");
  ASSERT_EQ(mkfifo((path_ + "/fifo").c_str(), 0600), 0);
  fs::create_directory(path_ + "/directory");
  BodyDirectory bodies(path_, BodyDirectory::Existing::overwrite);
  for (const char* name : {"file", "soft", "hard", "fifo"}) {
    EXPECT_EQ(error_of(bodies, name), 0) << name;
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(path_ + "/" + name))) << name;
    EXPECT_EQ(body(name), "new");
  }
  EXPECT_EQ(error_of(bodies, "directory"), EISDIR);
  EXPECT_EQ(read_file(elsewhere), "old");
}

TEST_F(BodyDirectories, FollowNoLinkThatLeadsNowhereYet) {
  fs::create_directory(path_);
  fs::create_symlink(scratch_.file("elsewhere"), path_ + "/x");
  BodyDirectory bodies(path_, BodyDirectory::Existing::refuse);
  EXPECT_EQ(error_of(bodies, "x"), EEXIST);
  EXPECT_FALSE(fs::exists(scratch_.file("elsewhere")));
}

TEST_F(BodyDirectories, ReplaceWhenResumedOnlyWhatIsTheirOwn) {
  fs::create_directory(path_);
  write_file(path_ + "/theirs", "old");
  {
    BodyDirectory bodies(path_, BodyDirectory::Existing::refuse);
    bodies.distinguish(list_);
    bodies.write("ours", "half");
    bodies.write("failed", "half");
  }
  BodyDirectory bodies(path_, BodyDirectory::Existing::refuse);
  bodies.distinguish(list_);
  EXPECT_EQ(error_of(bodies, "ours"), 0);
  EXPECT_EQ(error_of(bodies, "theirs"), EEXIST);
  bodies.discard("failed");
  bodies.discard("theirs");
  bodies.discard("never there");
  EXPECT_EQ(body("ours"), "new");
  EXPECT_EQ(body("theirs"), "old");
  EXPECT_FALSE(bodies.has("failed"));
  bodies.forget_list();
  bodies.forget_list();
  EXPECT_FALSE(fs::exists(list_));
}

TEST_F(BodyDirectories, ReplaceAllWhenResumedThatWereOverwritten) {
  fs::create_directory(path_);
  write_file(path_ + "/x", "old");
  BodyDirectory(path_, BodyDirectory::Existing::overwrite).distinguish(list_);
  BodyDirectory bodies(path_, BodyDirectory::Existing::refuse);
  bodies.distinguish(list_);
  EXPECT_EQ(error_of(bodies, "x"), 0);
}

}  // namespace
}  // namespace fetchline
