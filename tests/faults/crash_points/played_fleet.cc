#include "tests/faults/crash_points/played_fleet.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <numeric>
#include <utility>

#include "proto/codec.h"
#include "proto/record_json.h"
#include "proto/sockets.h"
#include "proto/task_hash.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr Index kTasks = 200;
constexpr WorkerId kWorker{4711};
constexpr milliseconds kRepeat{50};
constexpr milliseconds kResend{500};

std::vector<Index> from_to(Index first, Index last) {
  std::vector<Index> indices(last - first + 1);
  std::iota(indices.begin(), indices.end(), first);
  return indices;
}

// What is sent together; the next step begins when all of it is acknowledged.
const std::vector<std::vector<Index>>& steps() {
  static const std::vector<std::vector<Index>> all = {
      from_to(0, 9),
      from_to(11, 30),
      from_to(31, 49),
      {10},
      from_to(51, 70),
      from_to(71, 99),
      {50},
      from_to(160, 199),
      from_to(101, 130),
      from_to(131, 159),
      from_to(100, 100),
  };
  return all;
}

std::string url_of(Index index) { return "http://origin/" + std::to_string(index); }
std::uint64_t hash_of(Index index) { return plain_task_hash(url_of(index)); }

Result result_of(Index index) {
  Result result;
  result.index = index;
  result.task_hash = hash_of(index);
  result.attempts = 1;
  result.outcome = index % 7 == 3 ? Outcome::http_error : Outcome::ok;
  result.response_code = 200;
  result.url = url_of(index);
  result.method = "GET";
  result.worker = "played:1";
  result.body.assign(500 + index * 7919 % 40'000, static_cast<char>('a' + index % 26));
  result.body += std::to_string(index);
  return result;
}

// A connection that is tried too early is tried again much later.
void wait_for_port(RunningProgram& program, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  while (!program.has_ended()) {
    const FileDescriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return;
    timespec moment{0, 1'000'000};
    nanosleep(&moment, nullptr);
  }
}

}  // namespace

PlayedFleet::PlayedFleet(std::uint16_t port) : port_(port), context_(make_context(1)) {
  job_.bytes.fill(0x42);
}

std::string PlayedFleet::expected_output() {
  std::string text;
  for (Index index = 0; index < kTasks; ++index) append_record(text, result_of(index), {});
  return text;
}

void PlayedFleet::play(RunningProgram& collector, Producer producer) {
  meet(collector, producer);
  const auto deadline = steady_clock::now() + kPatience;
  while (!collector.has_ended() && steady_clock::now() < deadline) turn();
  receive();  // what it said last
}

void PlayedFleet::play_until(RunningProgram& collector, std::size_t acknowledged) {
  meet(collector, Producer::lives);
  const auto deadline = steady_clock::now() + kPatience;
  while (acknowledged_.size() < acknowledged && steady_clock::now() < deadline) turn();
  ASSERT_GE(acknowledged_.size(), acknowledged);
}

void PlayedFleet::meet(RunningProgram& collector, Producer producer) {
  wait_for_port(collector, port_);
  producer_ = connect_to(context_, endpoint(port_));
  worker_ = connect_to(context_, endpoint(port_));
  if (producer == Producer::resumes) {
    resumes_ = true;
    ++nonce_;
    job_.bytes.fill(static_cast<std::uint8_t>(0x42 + nonce_));
  }
  state_.reset();
  done_ = false;
  spoke_ = {};
  sent_at_ = {};
}

void PlayedFleet::turn() {
  receive();
  speak();
  std::array<zmq::pollitem_t, 2> items = {
      {{producer_.handle(), 0, ZMQ_POLLIN, 0}, {worker_.handle(), 0, ZMQ_POLLIN, 0}}};
  zmq::poll(items, milliseconds(2));
}

void PlayedFleet::receive() {
  while (auto incoming = fetchline::receive(worker_)) {
    const auto& message = std::get<Received>(incoming->content).message;
    if (const auto* acks = std::get_if<Acks>(&message)) {
      for (const IndexRange& range : acks->accepted.ranges())
        for (Index index = range.first; index <= range.last; ++index) acknowledged_.insert(index);
    }
    done_ = done_ || std::holds_alternative<Done>(message);
  }
  while (auto incoming = fetchline::receive(producer_)) {
    const auto& received = std::get<Received>(incoming->content);
    if (const auto* state = std::get_if<State>(&received.message)) on_state(received, *state);
    const auto* refused = std::get_if<Refused>(&received.message);
    if (refused != nullptr && refused->reason == Refused::Reason::outdated) {
      job_ = received.job;
      epoch_ = received.epoch;  // and open anew
    } else if (refused != nullptr) {
      ADD_FAILURE() << "refused: " << static_cast<int>(refused->reason) << " at " << refused->index;
    }
    done_ = done_ || std::holds_alternative<Done>(received.message);
  }
}

void PlayedFleet::on_state(const Received& received, const State& state) {
  if (!state_) {  // the first of this process, and a whole one
    for (const Index index : acknowledged_) {
      EXPECT_TRUE(index < state.watermark || state.committed.contains(index))
          << index << " was acknowledged and is not there";
    }
  }
  state_ = state;
  job_ = received.job;
  epoch_ = received.epoch;
}

void PlayedFleet::speak() {
  const Instant now = steady_clock::now();
  const bool repeats = now - spoke_ >= kRepeat;
  if (done_) {
    if (repeats) {
      say(Bye{});
      Frames bye = encode(job_, epoch_, Bye{kWorker});
      (void)send(worker_, bye);
    }
    return;
  }
  if (!state_) {
    if (repeats) say(Open{.nonce = nonce_, .resume = resumes_});
    return;
  }
  if (state_->compared < state_->compare_to) {
    std::vector<std::uint64_t> hashes;
    for (Index index = 0; index < state_->compare_to; ++index) hashes.push_back(hash_of(index));
    if (repeats) say(Recap{0, hashes});
    return;
  }
  for (std::size_t step = 0; step < steps().size(); ++step) {
    std::vector<Index> missing;
    for (const Index index : steps()[step])
      if (!acknowledged_.contains(index)) missing.push_back(index);
    if (missing.empty()) continue;
    if (step != sent_step_ || now - sent_at_ >= kResend) send_results(missing);
    sent_step_ = step;
    return;
  }
  if (!state_->total && repeats) say(End{kTasks});
}

void PlayedFleet::send_results(const std::vector<Index>& indices) {
  Frames message = encode_results_header(job_, epoch_, kWorker);
  for (const Index index : indices) {
    EncodedResult encoded = encode_result(result_of(index));
    append_result(message, encoded);
  }
  const bool sent = send(worker_, message) == SendResult::sent;
  sent_at_ = sent ? steady_clock::now() : Instant{};  // not connected yet
}

template <class Message>
void PlayedFleet::say(const Message& message) {
  Frames frames = encode(job_, epoch_, message);
  if (send(producer_, frames) == SendResult::sent) spoke_ = steady_clock::now();
}

}  // namespace fetchline
