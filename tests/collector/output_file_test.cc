#include "collector/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "tests/collector/file_size_limit.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using Existing = OutputFile::Existing;

constexpr const char* kSha256OfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

template <typename Action>
OutputError error_of(Action action) {
  try {
    action();
  } catch (const OutputError& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {"", 0};
}

// Everything that can be read at once.
std::string drained(int fd) {
  std::string bytes;
  std::array<char, 65536> block;
  pollfd waiting{fd, POLLIN, 0};
  while (poll(&waiting, 1, 0) > 0) {
    const auto count = read(fd, block.data(), block.size());
    if (count <= 0) break;
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() { std::signal(SIGPIPE, SIG_IGN); }

  // A FIFO with a reader that does not read yet.
  FileDescriptor fifo(const std::string& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return FileDescriptor(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("results.ndjson");
};

TEST_F(OutputFileTest, WhatIsFlushedIsInTheFile) {
  OutputFile file(path_, Existing::refuse);
  file.append("ab");
  file.append("c");
  EXPECT_EQ(read_file(path_), "");
  file.flush();
  EXPECT_EQ(read_file(path_), "abc");
  EXPECT_EQ(file.accepted_bytes(), 3u);
  EXPECT_EQ(file.sha256(), kSha256OfAbc);
  EXPECT_EQ(file.blocked_fd(), -1);
  file.sync();
}

TEST_F(OutputFileTest, TheSumCanBeAskedForInTheMiddle) {
  OutputFile file(path_, Existing::refuse);
  EXPECT_EQ(file.sha256(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  file.append("abc");
  EXPECT_EQ(file.sha256(), kSha256OfAbc);
  file.append("d");
  EXPECT_NE(file.sha256(), kSha256OfAbc);
}

TEST_F(OutputFileTest, AFileThatExistsIsRefusedAndLeftAlone) {
  write_file(path_, "old");
  write_file(path_ + ".manifest.json", "{}");
  const auto error = error_of([&] { OutputFile(path_, Existing::refuse); });
  EXPECT_EQ(error.error, EEXIST);
  EXPECT_EQ(error.what(), path_ + ": File exists (--overwrite replaces it)");
  EXPECT_EQ(read_file(path_), "old");
  EXPECT_EQ(read_file(path_ + ".manifest.json"), "{}");
}

TEST_F(OutputFileTest, OverwritingEmptiesTheFileAndRemovesItsManifest) {
  write_file(path_, "old and longer");
  write_file(path_ + ".manifest.json", "{}");
  OutputFile file(path_, Existing::overwrite);
  EXPECT_EQ(read_file(path_), "");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".manifest.json"));
  file.append("new");
  file.flush();
  EXPECT_EQ(read_file(path_), "new");
}

TEST_F(OutputFileTest, AFileThatIsBeingWrittenIsRefusedAndLeftAlone) {
  OutputFile first(path_, Existing::overwrite);
  first.append("abc");
  first.flush();
  const OutputError error = error_of([&] { OutputFile(path_, Existing::overwrite); });
  EXPECT_EQ(std::string(error.what()).find("temporarily"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("another process"), std::string::npos) << error.what();
  EXPECT_EQ(read_file(path_), "abc");
}

TEST_F(OutputFileTest, AManifestWhoseOutputIsGoneDoesNotVouchForANewOne) {
  write_file(path_ + ".manifest.json", "{}");
  const OutputFile file(path_, Existing::refuse);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".manifest.json"));
}

TEST_F(OutputFileTest, OverwritingNothingCreatesTheFile) {
  const OutputFile file(path_, Existing::overwrite);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(OutputFileTest, AMissingDirectoryIsToldByNameAndReason) {
  const auto path = directory_.file("missing/out");
  const auto error = error_of([&] { OutputFile(path, Existing::refuse); });
  EXPECT_EQ(error.error, ENOENT);
  EXPECT_EQ(error.what(), path + ": No such file or directory");
}

TEST_F(OutputFileTest, HasRoomForAMebibyteAndAgainAfterAFlush) {
  OutputFile file(path_, Existing::refuse);
  file.append(std::string(OutputFile::kRoomBytes - 1, 'x'));
  EXPECT_TRUE(file.has_room());
  file.append("x");
  EXPECT_FALSE(file.has_room());
  file.flush();
  EXPECT_TRUE(file.has_room());
}

TEST_F(OutputFileTest, AFullDeviceIsAnErrorThatKeepsTheBytes) {
  OutputFile file("/dev/full", Existing::refuse);
  file.append("abc");
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto error = error_of([&] { file.flush(); });
    EXPECT_TRUE(error.is_disk_full());
    EXPECT_STREQ(error.what(), "/dev/full: No space left on device");
    EXPECT_EQ(file.pending_bytes(), 3u);
  }
}

TEST_F(OutputFileTest, AfterADiskWasFullWritingGoesOnWithoutLosingOrRepeatingAByte) {
  OutputFile file(path_, Existing::refuse);
  const auto bytes = pattern(200'000);
  file.append(bytes);
  for (const rlim_t limit : {1u, 5'000u, 5'000u, 123'457u}) {
    const FileSizeLimit full(limit);
    EXPECT_EQ(error_of([&] { file.flush(); }).error, EFBIG);
    EXPECT_EQ(file.pending_bytes(), bytes.size() - limit);
    EXPECT_EQ(file.blocked_fd(), -1);
  }
  file.append("the end");
  file.flush();
  EXPECT_EQ(read_file(path_), bytes + "the end");
  EXPECT_EQ(file.accepted_bytes(), bytes.size() + 7);
}

TEST_F(OutputFileTest, ASlowReaderOfAPipeIsNeverWaitedFor) {
  const auto reader = fifo(path_);
  OutputFile file(path_, Existing::refuse);
  const auto bytes = pattern(300'000);
  file.append(bytes);
  std::string received;
  std::size_t turns = 0;
  // Returns from every flush(), though the pipe holds far less; a hang here is the failure.
  while (received.size() < bytes.size()) {
    file.flush();
    received += drained(reader.get());
    ASSERT_EQ(received.size() + file.pending_bytes(), bytes.size());
    ASSERT_EQ(file.blocked_fd() >= 0, file.pending_bytes() > 0);
    ASSERT_LT(++turns, 1000u);
  }
  EXPECT_GT(turns, 1u);
  EXPECT_EQ(received, bytes);
}

TEST_F(OutputFileTest, ABlockedPipePollsReadyOnceItsReaderHasRead) {
  const auto reader = fifo(path_);
  OutputFile file(path_, Existing::refuse);
  file.append(pattern(300'000));
  file.flush();
  pollfd blocked{file.blocked_fd(), POLLOUT, 0};
  ASSERT_GE(blocked.fd, 0);
  EXPECT_EQ(poll(&blocked, 1, 0), 0);
  drained(reader.get());
  EXPECT_EQ(poll(&blocked, 1, 0), 1);
}

TEST_F(OutputFileTest, AReaderThatHasGoneIsABrokenPipe) {
  auto reader = fifo(path_);
  OutputFile file(path_, Existing::refuse);
  reader = FileDescriptor();
  file.append("abc");
  EXPECT_EQ(error_of([&] { file.flush(); }).error, EPIPE);
}

TEST_F(OutputFileTest, SyncDoesNothingForAPipe) {
  const auto reader = fifo(path_);
  OutputFile file(path_, Existing::overwrite);
  EXPECT_FALSE(file.is_regular());
  file.sync();
}

// Makes `fd` this process's stdout for a while.
class StdoutReplaced {
 public:
  explicit StdoutReplaced(int fd) : before_(dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    dup2(fd, STDOUT_FILENO);
  }
  ~StdoutReplaced() { dup2(before_.get(), STDOUT_FILENO); }

 private:
  FileDescriptor before_;
};

TEST_F(OutputFileTest, ADashIsStdoutAndStaysOpen) {
  const FileDescriptor target(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  {
    const StdoutReplaced replaced(target.get());
    {
      OutputFile file("-", Existing::refuse);
      file.append("abc\n");
      file.flush();
    }
    ASSERT_EQ(write(STDOUT_FILENO, "more", 4), 4);
  }
  EXPECT_EQ(read_file(path_), "abc\nmore");
}

TEST_F(OutputFileTest, ASlowReaderOfASocketIsNeverWaitedForEither) {
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const FileDescriptor ours(pair[0]);
  const FileDescriptor reader(pair[1]);
  const StdoutReplaced replaced(ours.get());
  OutputFile file("-", Existing::refuse);
  const auto bytes = pattern(2'000'000);
  file.append(bytes);
  std::string received;
  while (received.size() < bytes.size()) {
    file.flush();
    received += drained(reader.get());
    ASSERT_EQ(received.size() + file.pending_bytes(), bytes.size());
  }
  EXPECT_EQ(received, bytes);
}

TEST_F(OutputFileTest, ErrorsOfStdoutNameIt) {
  const FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const StdoutReplaced replaced(full.get());
  OutputFile file("-", Existing::refuse);
  file.append("abc");
  EXPECT_STREQ(error_of([&] { file.flush(); }).what(), "stdout: No space left on device");
}

}  // namespace
}  // namespace fetchline
