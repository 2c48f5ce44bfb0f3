// Fleets with keys: who has one is let in as what it is, and nobody else.
#include <fstream>
#include <map>

#include "tests/faults/fleet_keys.h"
#include "tests/faults/siege.h"
#include "tests/integration/browser.h"
#include "tests/integration/job.h"
#include "tests/integration/records.h"
#include "tests/integration/slowness.h"
#include "tests/proto/samples.h"

namespace fetchline {
namespace {

constexpr std::size_t kTasks = 2000;

std::string watched_at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

// A fleet at work on a job that takes about three seconds, and what others may know of it.
class KeyedFleet : public testing::Test {
 protected:
  KeyedFleet() : targets_(mixed_targets(kTasks, 60, 500)) {
    write_file(directory_.file("in"), urls_of(origin_, targets_));
  }

  void start() {
    collector_.emplace(collector_path(),
                       Args{"--bind", endpoint(results_), "--http", watched_at(collector_http_)} +
                           keys_.flags(Role::collector));
    producer_.emplace(producer_path(),
                      Args{"--bind", endpoint(tasks_), "--collector", endpoint(results_), "-i",
                           directory_.file("in"), "--http", watched_at(producer_http_)} +
                          keys_.flags(Role::producer));
    worker_.emplace(worker_path(), Args{"--producer", endpoint(tasks_), "--collector",
                                        endpoint(results_), "-j", "20"} +
                                       keys_.flags(Role::worker));
    EXPECT_TRUE(eventually([this] { return origin_.requests() > kTasks / 20; }));
  }

  // Not for ever: a job that somebody has ended stands still.
  [[nodiscard]] bool goes_on() {
    return origin_.requests() < kTasks / 4 * 3 && !collector_->has_ended() &&
           Clock::now() - begin_ < kPatience;
  }

  void expect_exact() {
    EXPECT_FALSE(collector_->has_ended()) << "it ended before its job";
    EXPECT_EQ(collector_->exit_code(), 0) << collector_->stderr_text();
    EXPECT_EQ(producer_->exit_code(), 0) << producer_->stderr_text();
    EXPECT_EQ(worker_->exit_code(), 0) << worker_->stderr_text();
    expect_answers(parse_records(collector_->stdout_text()), origin_, targets_);
  }

  [[nodiscard]] zmq::socket_t as(const KeyPair& own, Role server) {
    const ClientKeys keys = keys_.client(own, server);
    return connect_to(context_, endpoint(server == Role::producer ? tasks_ : results_), {}, &keys);
  }

  // What any worker learns: it says hello to the producer and is answered.
  [[nodiscard]] Siege::Secret learn() {
    zmq::socket_t connection = as(keys_.pair(Role::worker), Role::producer);
    Heartbeat hello;
    hello.worker = WorkerId{random_u64()};
    hello.name = "curious";
    hello.draining = true;
    Siege::Secret secret;
    EXPECT_TRUE(eventually([&] {
      Frames frames = encode({}, {}, hello);
      (void)send(connection, frames);
      const auto answer = receive(connection);
      const auto* received = answer ? std::get_if<Received>(&answer->content) : nullptr;
      if (received != nullptr && received->epoch != Epoch{}) {
        secret = {received->job, received->epoch};
      }
      return secret.epoch != Epoch{};
    }));
    return secret;
  }

  const Origin origin_;
  const TemporaryDirectory directory_;
  const FleetKeys keys_;
  const std::vector<std::string> targets_;
  const std::uint16_t tasks_ = free_port(), results_ = free_port();
  const std::uint16_t producer_http_ = free_port(), collector_http_ = free_port();
  std::optional<RunningProgram> collector_, producer_, worker_;
  zmq::context_t context_ = make_context(1);
  const Clock::time_point begin_ = Clock::now();
};

class KeyedJob : public testing::TestWithParam<Layout> {};
INSTANTIATE_TEST_SUITE_P(, KeyedJob, testing::Values(Layout::fleet, Layout::fleet_worst_order),
                         name_of);

TEST_P(KeyedJob, IsDoneAsOneWithoutKeys) {
  const Origin origin;
  const TemporaryDirectory directory;
  const FleetKeys keys;
  const auto targets = mixed_targets(500, 20, 5000);
  write_file(directory.file("in"), urls_of(origin, targets) + "not a URL\n");
  Job job(GetParam(), {.tasks = Args{"-i", directory.file("in")} + keys.flags(Role::producer),
                       .output = keys.flags(Role::collector),
                       .effort = keys.flags(Role::worker),
                       .verdict = {"--fail-on", "never"}});
  EXPECT_EQ(job.exit_code(), 0);
  Records records = parse_records(job.writer().stdout_text());
  ASSERT_EQ(records.size(), targets.size() + 1);
  EXPECT_EQ(records.back().at("outcome"), "invalid_task") << "which the producer itself sends";
  records.pop_back();
  expect_answers(records, origin, targets);
}

// Each connects, is refused, and connects again, as fast as it can, and says what would end the
// job if it were heard.
TEST_F(KeyedFleet, LetsNobodyInWhoHasNoKeyOrAnother) {
  start();
  const auto [job, epoch] = learn();
  const KeyPair stranger = random_key_pair();
  std::map<std::string, std::uint64_t> refused;
  while (goes_on()) {
    for (const auto& [role, port] :
         {std::pair("producer", producer_http_), {"collector", collector_http_}}) {
      const auto status = status_of(port);
      if (status.is_object()) refused[role] = status[role]["refused_connections"];
    }
    for (const Role server : {Role::producer, Role::collector}) {
      zmq::socket_t unknown = as(stranger, server);
      zmq::socket_t plain =
          connect_to(context_, endpoint(server == Role::producer ? tasks_ : results_));
      zmq::pollitem_t items[] = {{unknown.handle(), 0, ZMQ_POLLOUT, 0},
                                 {plain.handle(), 0, ZMQ_POLLOUT, 0}};
      // A connection takes messages once its handshake is over.
      EXPECT_EQ(zmq::poll(items, 2, std::chrono::milliseconds(100)), 0);
      for (zmq::socket_t* connection : {&unknown, &plain}) {
        Frames end = encode(job, epoch, End{1});
        EXPECT_EQ(send(*connection, end), SendResult::full);
      }
    }
  }
  for (const auto* program : {&*collector_, &*producer_}) {
    EXPECT_TRUE(program->says("warning: refused 127.0.0.1: its key " + stranger.public_key +
                              " is not in --authorized-keys"))
        << program->stderr_text();
    EXPECT_TRUE(program->says("who has no key")) << program->stderr_text();
  }
  EXPECT_GT(refused["producer"], 0U);
  EXPECT_GT(refused["collector"], 0U);
  expect_exact();
}

// It knows everything, and is believed to be a worker: that is not enough.
TEST_F(KeyedFleet, ObeysNoWorkerThatOpensOrEndsAJobOrSpeaksForOthers) {
  start();
  const auto [job, epoch] = learn();
  const KeyPair own = keys_.pair(Role::worker);
  zmq::socket_t collector = as(own, Role::collector), producer = as(own, Role::producer);
  std::vector<Frames> to_collector, to_producer;
  to_collector.push_back(encode(job, epoch, End{1}));
  to_collector.push_back(encode(job, epoch, Open{.nonce = 7}));
  to_collector.push_back(encode(job, epoch, Open{.nonce = 7, .resume = true}));
  to_collector.push_back(encode(job, epoch, Recap{.first = 0, .hashes = {1, 2, 3}}));
  to_collector.push_back(encode(job, epoch, Bye{}));
  State over;
  over.total = 1;
  to_producer.push_back(encode(job, epoch, over));
  to_producer.push_back(encode(job, epoch, Done{}));
  to_producer.push_back(encode(job, epoch, Refused{.reason = Refused::Reason::fenced}));
  to_producer.push_back(encode(job, epoch, samples::acks()));
  std::size_t sent = 0;
  while (goes_on()) {
    for (auto* peer : {&collector, &producer}) {
      for (const Frames& message : peer == &collector ? to_collector : to_producer) {
        Frames copy = copy_of(message);
        if (send(*peer, copy) == SendResult::sent) ++sent;
      }
      while (receive(*peer)) {
      }
    }
    zmq::pollitem_t item{collector.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(1));
  }
  EXPECT_GT(sent, 100U);
  for (const RunningProgram* role : {&*collector_, &*producer_}) {
    EXPECT_TRUE(role->says("from 127.0.0.1: not the sender's to say")) << role->stderr_text();
  }
  expect_exact();
}

TEST_F(KeyedFleet, TakesNoResultsFromAProducer) {
  start();
  const auto [job, epoch] = learn();
  zmq::socket_t collector = as(keys_.pair(Role::producer), Role::collector);
  for (Index index = 0; goes_on(); index = (index + 1) % kTasks) {
    Result forged;
    forged.index = index;
    forged.url = "http://forged.example/";
    forged.outcome = Outcome::ok;
    Frames frames = encode_results_header(job, epoch, WorkerId{7});
    EncodedResult encoded = encode_result(std::move(forged));
    append_result(frames, encoded);
    (void)send(collector, frames);
    zmq::pollitem_t item{collector.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(collector_->says("from 127.0.0.1: not the sender's to say"))
      << collector_->stderr_text();
  expect_exact();
}

TEST_F(KeyedFleet, LetsNoProducerAndNoCollectorInAsAWorker) {
  start();
  for (const Role role : {Role::producer, Role::collector}) {
    zmq::socket_t connection = as(keys_.pair(role), Role::producer);
    EXPECT_TRUE(eventually([&] {
      return producer_->says("its key " + keys_.pair(role).public_key + " is a " +
                             std::string(to_string(role)) + "'s");
    })) << producer_->stderr_text();
  }
  expect_exact();
}

// Without keys libzmq gathers a message of any number of frames before anybody may look at it.
TEST_F(KeyedFleet, KeepsNothingOfWhatAStrangerSends) {
  start();
  const std::uint64_t before = collector_->peak_memory_bytes();
  const std::string greeting_end = std::string(1, '\0') + std::string(31, '\0');
  const auto greeting = [&](const std::string& mechanism) {
    return std::string("\xff\0\0\0\0\0\0\0\1\x7f\3\0", 12) + mechanism +
           std::string(20 - mechanism.size(), '\0') + greeting_end;
  };
  const std::string ready("\4\x29\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0", 43);
  std::string more;  // frames with "more to come"
  for (int i = 0; i < 64; ++i)
    more += std::string("\3\0\0\0\0\0\0\4\0", 9) + std::string(1024, 'x');
  const std::string endless_command = std::string("\6\0\0\1\0\0\0\0\0", 9);
  std::uint64_t sent = 0;
  while (goes_on()) {
    for (const std::string& begin :
         {greeting("NULL") + ready, greeting("CURVE"), greeting("CURVE") + endless_command}) {
      const RawPeer peer(results_);
      (void)peer.say(begin);
      for (int i = 0; i < 50 && peer.say(more); ++i) sent += more.size();
    }
  }
  EXPECT_GT(sent, std::uint64_t{1} << 20);
  EXPECT_FALSE(collector_->has_ended());
  const std::uint64_t growth = collector_->peak_memory_bytes() - before;
  EXPECT_TRUE(growth <= (std::uint64_t{32} << 20) || slowness() > 1) << growth;
  expect_exact();
}

// libzmq gives a connection up for good that was refused: it must not stay so.
TEST_F(KeyedFleet, TakesInAWorkerThatWasThereBeforeItAndWasRefusedByOthers) {
  RunningProgram plain(collector_path(), {"--bind", endpoint(results_)});
  const Args worker = {"--producer", endpoint(tasks_), "--collector", endpoint(results_)};
  RunningProgram early(worker_path(), worker + keys_.flags(Role::worker));
  EXPECT_TRUE(eventually([&] {
    return early.says("the collector at " + endpoint(results_) + " has no --key");
  })) << early.stderr_text();
  plain.signal(SIGKILL);
  EXPECT_EQ(plain.exit_code(), 128 + SIGKILL);
  start();  // another worker too
  expect_exact();
  EXPECT_EQ(early.exit_code(), 0) << early.stderr_text();
  Outcomes by_worker;
  for (const auto& record : parse_records(collector_->stdout_text()))
    ++by_worker[record.at("worker")];
  EXPECT_EQ(by_worker.size(), 2U) << early.stderr_text();
}

TEST_F(KeyedFleet, SaysOnTheOtherSideWhyNobodyIsLetIn) {
  start();
  const Args link = {"--producer", endpoint(tasks_), "--collector", endpoint(results_)};
  const FleetKeys others;
  RunningProgram plain(worker_path(), link);
  RunningProgram foreign(worker_path(), link + others.flags(Role::worker));
  write_file(directory_.file("mixed"), read_file(keys_.authorized()));
  RunningProgram unknown(worker_path(), link + Args{"--key", others.key(Role::worker),
                                                    "--authorized-keys", directory_.file("mixed")});
  for (const std::string& port :
       {"the producer at " + endpoint(tasks_), "the collector at " + endpoint(results_)}) {
    EXPECT_TRUE(eventually([&] {
      return plain.says(port + " asks for keys: give --key and --authorized-keys");
    })) << plain.stderr_text();
    EXPECT_TRUE(eventually([&] {
      return foreign.says(port + " breaks off the handshake: is its key in --authorized-keys?");
    })) << foreign.stderr_text();
    EXPECT_TRUE(eventually([&] {
      return unknown.says(port +
                          " refuses our key: is it in its --authorized-keys, as a worker's?");
    })) << unknown.stderr_text();
  }
  expect_exact();
}

// As --help of keygen says: both sets of keys are in the file while the keys are changed. Old and
// new programs get on with each other, whoever has which key.
TEST_F(KeyedFleet, GoesOnWhileItsKeysAreReplaced) {
  const FleetKeys next;
  std::ofstream(keys_.authorized(), std::ios::app) << read_file(next.authorized());
  const auto flags = [&](const FleetKeys& own, Role role) {
    return Args{"--key", own.key(role), "--authorized-keys", keys_.authorized()};
  };
  for (const auto& [servers, workers] : {std::pair{&keys_, &next}, std::pair{&next, &keys_}}) {
    Job job(Layout::fleet, {.tasks = Args{origin_.url("/")} + flags(*servers, Role::producer),
                            .output = flags(servers == &keys_ ? next : keys_, Role::collector),
                            .effort = flags(*workers, Role::worker)});
    EXPECT_EQ(job.exit_code(), 0);
    EXPECT_EQ(parse_records(job.writer().stdout_text()).size(), 1U);
    EXPECT_EQ(job.stderr_text().find("handshake"), std::string::npos) << job.stderr_text();
  }
}

}  // namespace
}  // namespace fetchline
