#include "worker/watched_sockets.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fetchline {
namespace {

class WatchedSocketsTest : public ::testing::Test {
 protected:
  ~WatchedSocketsTest() override {
    for (const int end : ends_) close(end);
  }
  // Two ends; what is written to the second can be read from the first.
  std::pair<int, int> new_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    ends_.insert(ends_.end(), ends.begin(), ends.end());
    return {ends[0], ends[1]};
  }
  // The tag and the events of what happened.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> happened() const {
    epoll_event event{};
    if (epoll_wait(sockets_.epoll(), &event, 1, 0) != 1) return std::nullopt;
    return std::pair(static_cast<std::uint32_t>(event.data.u64 >> 32), std::uint32_t{event.events});
  }

  WatchedSockets sockets_;
  std::vector<int> ends_;
};

TEST_F(WatchedSocketsTest, AConnectionThatComesAndGoesIsHeardWithTheTagItHas) {
  const auto [socket, other] = new_pair();
  sockets_.opened(socket);
  EXPECT_TRUE(sockets_.watch(socket, EPOLLIN, 7));
  EXPECT_FALSE(happened());
  sockets_.watch_idle(socket, 7);
  EXPECT_TRUE(sockets_.is_idle(socket));
  EXPECT_TRUE(sockets_.watch(socket, EPOLLIN, 7));
  EXPECT_FALSE(sockets_.is_idle(socket));
  EXPECT_EQ(write(other, "x", 1), 1);
  EXPECT_EQ(happened(), std::pair(7U, std::uint32_t{EPOLLIN}));
  EXPECT_TRUE(sockets_.watch(socket, EPOLLOUT, 8));
  EXPECT_EQ(happened(), std::pair(8U, std::uint32_t{EPOLLOUT}));
  sockets_.watch_idle(socket, 8);
  EXPECT_EQ(happened(), std::pair(8U, std::uint32_t{EPOLLIN}));
  sockets_.forget(socket);
  EXPECT_FALSE(happened());
  EXPECT_FALSE(sockets_.is_idle(socket));
}

TEST_F(WatchedSocketsTest, ASocketWithTheNumberOfOneThatWasClosedIsWatchedAnew) {
  const auto [socket, other] = new_pair();
  sockets_.opened(socket);
  sockets_.watch_idle(socket, 1);
  sockets_.closing(socket);
  EXPECT_FALSE(sockets_.is_idle(socket));
  const auto [next, writer] = new_pair();
  ASSERT_EQ(dup2(next, socket), socket);  // closes the first
  EXPECT_TRUE(sockets_.watch(socket, EPOLLIN, 1));
  EXPECT_EQ(write(writer, "x", 1), 1);
  EXPECT_EQ(happened(), std::pair(1U, std::uint32_t{EPOLLIN}));
}

TEST_F(WatchedSocketsTest, NothingIsTakenForGrantedOfWhatIsNoConnection) {
  const auto [socket, other] = new_pair();
  EXPECT_TRUE(sockets_.watch(socket, EPOLLIN, 1));
  const auto [next, writer] = new_pair();
  ASSERT_EQ(dup2(next, socket), socket);  // closed, and nobody said so
  EXPECT_TRUE(sockets_.watch(socket, EPOLLIN, 1));
  EXPECT_EQ(write(writer, "x", 1), 1);
  EXPECT_EQ(happened(), std::pair(1U, std::uint32_t{EPOLLIN}));
  sockets_.watch_idle(socket, 1);
  EXPECT_FALSE(sockets_.is_idle(socket));
  EXPECT_FALSE(happened());
}

}  // namespace
}  // namespace fetchline
