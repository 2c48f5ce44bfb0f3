#include "tests/faults/siege.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>
#include <thread>
#include <utility>

#include "proto/sockets.h"
#include "tests/integration/records.h"
#include "tests/integration/slowness.h"

namespace fetchline {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t kTasks = 3000;
constexpr std::size_t kWorkers = 2;

// Two connections, one to each port.
class Strangers {
 public:
  Strangers(std::uint16_t tasks, std::uint16_t results) : context_(make_context(1)) {
    for (const std::uint16_t port : {tasks, results}) {
      connections_.push_back(connect_to(context_, endpoint(port)));
    }
  }

  void say(const std::function<Frames()>& message) {
    for (zmq::socket_t& connection : connections_) {
      Frames frames = message();
      (void)send(connection, frames);  // a full connection has enough to do
      while (receive(connection)) {
      }
    }
  }

 private:
  zmq::context_t context_;
  std::vector<zmq::socket_t> connections_;
};

}  // namespace

Siege::Siege()
    : targets_(mixed_targets(kTasks, 60, 500)), tasks_(free_port()), results_(free_port()) {
  write_file(directory_.file("in"), urls_of(origin_, targets_));
  collector_ =
      std::make_unique<RunningProgram>(collector_path(), Args{"--bind", endpoint(results_)});
  producer_ = std::make_unique<RunningProgram>(
      producer_path(), Args{"--bind", endpoint(tasks_), "--collector", endpoint(results_), "-i",
                            directory_.file("in")});
  for (std::size_t i = 0; i < kWorkers; ++i) {
    workers_.push_back(std::make_unique<RunningProgram>(
        worker_path(),
        Args{"--producer", endpoint(tasks_), "--collector", endpoint(results_), "-j", "15"}));
  }
  EXPECT_TRUE(eventually([this] { return origin_.requests() > kTasks / 20; }));
  collector_bytes_ = collector_->peak_memory_bytes();
  producer_bytes_ = producer_->peak_memory_bytes();
}

std::uint16_t Siege::number(Port port) const { return port == Port::tasks ? tasks_ : results_; }

Siege::Secret Siege::learn() const {
  zmq::context_t context = make_context(1);
  zmq::socket_t connection = connect_to(context, endpoint(tasks_));
  Heartbeat hello;
  hello.worker = WorkerId{random_u64()};
  hello.name = "stranger";
  hello.draining = true;  // no tasks, please
  Secret secret;
  EXPECT_TRUE(eventually([&] {
    Frames frames = encode({}, {}, hello);
    (void)send(connection, frames);
    const auto answer = receive(connection);
    const auto* received = answer ? std::get_if<Received>(&answer->content) : nullptr;
    if (received != nullptr) secret = {received->job, received->epoch};
    return received != nullptr;
  }));
  Frames farewell = encode(secret.job, secret.epoch, Bye{hello.worker});
  (void)send(connection, farewell);
  return secret;
}

bool Siege::goes_on() const { return origin_.requests() < kTasks / 4 * 3; }

void Siege::flood(const std::function<Frames(std::size_t)>& message, std::size_t per_second) {
  constexpr milliseconds kTurn{10};
  const std::size_t each_turn = per_second / 100;
  Strangers strangers(tasks_, results_);
  std::size_t number = 0;
  const std::size_t most = 30 * per_second * static_cast<std::size_t>(slowness());
  for (auto next = Clock::now(); goes_on() && number < most; next += kTurn) {
    for (std::size_t i = 0; i < each_turn; ++i) {
      strangers.say([&] { return message(number); });
      ++number;
    }
    std::this_thread::sleep_until(next);
  }
  EXPECT_FALSE(goes_on()) << "the job stands still";
  testing::Test::RecordProperty("messages", static_cast<int>(number));
}

void Siege::expect_complaints() {
  for (const auto* program : {collector_.get(), producer_.get()}) {
    const std::string said = program->stderr_text();
    EXPECT_TRUE(program->says(" from 127.0.0.1: ")) << said;
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = said.find("dropped ", at)) != std::string::npos; ++at) ++lines;
    EXPECT_LE(lines, 4U) << said;
  }
}

void Siege::expect_exact() {
  EXPECT_EQ(collector_->exit_code(), 0) << collector_->stderr_text();
  EXPECT_EQ(producer_->exit_code(), 0) << producer_->stderr_text();
  for (const auto& worker : workers_) EXPECT_EQ(worker->exit_code(), 0) << worker->stderr_text();
  expect_answers(parse_records(collector_->stdout_text()), origin_, targets_);
  const std::uint64_t collector_growth = collector_->peak_memory_bytes() - collector_bytes_;
  const std::uint64_t producer_growth = producer_->peak_memory_bytes() - producer_bytes_;
  EXPECT_TRUE(collector_growth <= kMaxGrowthBytes || (slowness() > 1)) << collector_growth;
  EXPECT_TRUE(producer_growth <= kMaxGrowthBytes || (slowness() > 1)) << producer_growth;
  testing::Test::RecordProperty("collector_growth_kib", static_cast<int>(collector_growth / 1024));
  testing::Test::RecordProperty("producer_growth_kib", static_cast<int>(producer_growth / 1024));
}

RawPeer::RawPeer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no connection to port " + std::to_string(port));
  }
}

// Each half is answered before libzmq reads the next.
void RawPeer::shake_hands() const {
  using namespace std::string_literals;
  say("\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL"s + std::string(48, '\0'));
  hear(64);
  const std::string ready = "\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0"s;
  say("\4"s + static_cast<char>(ready.size()) + ready);
  hear(2 + ready.size());  // a ROUTER's is as long
}

void RawPeer::hear(std::size_t bytes) const {
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string heard(bytes, '\0');
  const auto got = ::recv(socket_.get(), heard.data(), bytes, MSG_WAITALL);
  if (got != static_cast<ssize_t>(bytes)) throw std::runtime_error("no ZMTP is spoken there");
}

void RawPeer::reset() const {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

bool RawPeer::say(std::string_view bytes) const {
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent == static_cast<ssize_t>(bytes.size());
}

}  // namespace fetchline
