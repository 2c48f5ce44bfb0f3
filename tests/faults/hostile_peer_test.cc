// Strangers at the ports of a fleet. Nothing here proves who is who: without keys a peer that makes
// the effort of speaking the protocol can take tasks, and give results of its own for them.
#include <random>

#include "proto/sockets.h"
#include "tests/faults/siege.h"
#include "tests/proto/samples.h"

namespace fetchline {
namespace {

std::string noise(std::mt19937_64& random, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// One of each type, of a job, an epoch and peers that nobody knows.
std::vector<Frames> samples_of(const JobId& job, Epoch epoch) {
  std::vector<Frames> all;
  all.push_back(encode(job, epoch, samples::heartbeat()));
  all.push_back(encode(job, epoch, samples::tasks()));
  all.push_back(samples::results_frames());
  all.push_back(encode(job, epoch, samples::acks()));
  all.push_back(encode(job, epoch, samples::open()));
  all.push_back(encode(job, epoch, samples::state()));
  all.push_back(encode(job, epoch, samples::end()));
  all.push_back(encode(job, epoch, samples::done()));
  all.push_back(encode(job, epoch, samples::bye()));
  all.push_back(encode(job, epoch, Refused{}));
  return all;
}

Frames one_frame(std::string_view bytes) {
  Frames frames;
  frames.push_back(frame_of(bytes));
  return frames;
}

TEST(HostilePeer, IsNotHeardWhenItSendsGarbage) {
  Siege siege;
  std::mt19937_64 random(1);
  siege.flood([&](std::size_t number) {
    Frames frames;
    for (std::size_t i = 0; i <= number % 3; ++i) {
      frames.push_back(frame_of(noise(random, random() % 600)));
    }
    return frames;
  });
  siege.expect_complaints();
  siege.expect_exact();
}

// But for heartbeats: cut off behind a field, one is a heartbeat, and its worker is given work.
TEST(HostilePeer, IsNotHeardWhenItsMessagesAreCutOff) {
  Siege siege;
  std::mt19937_64 random(2);
  auto all = samples_of(samples::job(), samples::kEpoch);
  all.erase(all.begin());
  siege.flood([&](std::size_t number) {
    const std::string_view whole = all[number % all.size()].front().to_string_view();
    return one_frame(whole.substr(0, random() % whole.size()));
  });
  siege.expect_exact();
}

TEST(HostilePeer, IsNotHeardWhenItsVersionOrItsTypeIsNone) {
  Siege siege;
  std::mt19937_64 random(3);
  const auto [job, epoch] = siege.learn();
  const auto all = samples_of(job, epoch);
  siege.flood([&](std::size_t number) {
    std::string message = all[number % all.size()].front().to_string();
    message[2 + number % 2] = static_cast<char>(number % 2 == 0 ? 2 + random() % 200 : 100);
    return one_frame(message);
  });
  siege.expect_exact();
}

// But for heartbeats: a worker of another job is welcome.
TEST(HostilePeer, IsNotHeardWhenItIsOfAnotherJob) {
  Siege siege;
  auto all = samples_of(samples::job(), samples::kEpoch);
  all.erase(all.begin());
  siege.flood([&](std::size_t number) { return copy_of(all[number % all.size()]); });
  siege.expect_exact();
}

TEST(HostilePeer, IsNotHeardWhenItSaysWhatIsNotItsToSay) {
  Siege siege;
  const auto [job, epoch] = siege.learn();
  std::vector<Frames> all;
  for (const Epoch when : {epoch, Epoch{}, samples::kEpoch}) {
    all.push_back(encode(job, when, samples::tasks()));
    all.push_back(encode(job, when, samples::acks()));
    all.push_back(encode(job, when, samples::state()));
    all.push_back(encode(job, when, samples::done()));
    all.push_back(encode(job, when, Refused{.reason = Refused::Reason::fenced}));
    all.push_back(encode(job, when, samples::bye()));
  }
  all.push_back(encode(job, Epoch{}, samples::end()));
  all.push_back(encode(job, samples::kEpoch, samples::end()));
  siege.flood([&](std::size_t number) { return copy_of(all[number % all.size()]); });
  siege.expect_exact();
}

Frames results_of(const Siege::Secret& secret, WorkerId sender, Result result) {
  Frames frames = encode_results_header(secret.job, secret.epoch, sender);
  EncodedResult encoded = encode_result(std::move(result));
  append_result(frames, encoded);
  return frames;
}

// Results for tasks that are out, that do not exist, or that would break the output's lines.
TEST(HostilePeer, CannotSpoilTheOutputWithResults) {
  Siege siege;
  const auto secret = siege.learn();
  siege.flood([&](std::size_t number) {
    Result result;
    result.outcome = Outcome::ok;
    result.url = "http://forged.example/";
    result.body = "forged";
    if (number % 3 == 0) result.index = number % 50;
    if (number % 3 == 1) result.index = kMaxIndex - 1 - number;
    if (number % 3 == 2) {
      result.index = 2999;
      result.meta = number % 2 == 0 ? "1}\n{\"index\":0" : "{not json";
    }
    return results_of(secret, WorkerId{7}, result);
  });
  siege.expect_exact();
}

TEST(HostilePeer, CannotSlowTheCollectorDownUnderManyNames) {
  Siege siege;
  const auto secret = siege.learn();
  siege.flood([&](std::size_t) {
    Result old;  // index 0, long out
    return results_of(secret, WorkerId{random_u64()}, old);
  });
  siege.expect_exact();
}

TEST(HostilePeer, CannotSlowTheProducerDownUnderManyNames) {
  Siege siege;
  const auto [job, epoch] = siege.learn();
  siege.flood([&, job = job, epoch = epoch](std::size_t) {
    Heartbeat login;
    login.worker = WorkerId{random_u64()};
    login.name = "stranger";
    login.draining = true;
    return encode(job, epoch, login);
  });
  siege.expect_exact();
}

TEST(HostilePeer, IsCutOffWhenItsFramesAreGiants) {
  Siege siege;
  const std::string allowed(kMaxFrameBytes, 'x'), beyond(kMaxFrameBytes + 1, 'x');
  siege.flood([&](std::size_t number) { return one_frame(number % 2 == 0 ? allowed : beyond); },
              200);
  siege.expect_exact();
}

TEST(HostilePeer, IsNotHeardWhenItsMessageHasThousandsOfFrames) {
  Siege siege;
  siege.flood(
      [&](std::size_t number) {
        Frames frames;
        for (std::size_t i = 0; i < kMaxFrames + number % 2; ++i) frames.push_back(frame_of("x"));
        return frames;
      },
      100);
  siege.expect_exact();
}

TEST(HostilePeer, IsNotHeardWhenItDoesNotSpeakZmtp) {
  Siege siege;
  std::mt19937_64 random(4);
  std::vector<RawPeer> idle;
  for (int i = 0; i < 100; ++i) {
    idle.emplace_back(siege.number(Siege::Port::tasks));
    idle.emplace_back(siege.number(Siege::Port::results));
  }
  while (siege.goes_on()) {
    for (const auto port : {Siege::Port::tasks, Siege::Port::results}) {
      for (const std::string& bytes :
           {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), noise(random, 2000)}) {
        const RawPeer peer(siege.number(port));
        EXPECT_TRUE(peer.say(bytes));
      }
      const RawPeer peer(siege.number(port));
      peer.shake_hands();  // and then a frame that says it is as long as memory
      EXPECT_TRUE(peer.say({"\2\x7f\xff\xff\xff\xff\xff\xff\xff", 9}));
    }
  }
  siege.expect_exact();
}

// Of a ROUTER whose queue for it is full. That it breaks is seen only when there is room again;
// what else the library does meanwhile for the connection must not end the process.
TEST(HostilePeer, IsNoDangerWhenItVanishesBehindAFullQueue) {
  zmq::context_t context = make_context(1);
  const std::uint16_t number = free_port();
  zmq::socket_t port = bind_port(context, endpoint(number));
  {
    const RawPeer peer(number);
    peer.shake_hands();
    std::string messages;
    for (int i = 0; i < 5000; ++i) messages += std::string("\0\1x", 3);
    ASSERT_TRUE(peer.say(messages));
    zmq::pollitem_t item{port.handle(), 0, ZMQ_POLLIN, 0};
    ASSERT_EQ(zmq::poll(&item, 1, std::chrono::seconds(5)), 1);
    peer.reset();
  }
  // Longer than any heartbeat that such a library sends.
  zmq::context_t elsewhere = make_context(1);
  zmq::socket_t friendly = connect_to(elsewhere, endpoint(number));
  int heard = 0;
  EXPECT_TRUE(eventually([&, begin = Clock::now()] {
    Heartbeat heartbeat;
    heartbeat.worker = WorkerId{1};
    Frames hello = encode({}, {}, heartbeat);
    (void)send(friendly, hello);
    if (Clock::now() - begin < std::chrono::milliseconds(1500)) return false;
    while (const auto incoming = receive_from_port(port)) {
      if (std::holds_alternative<Received>(incoming->content)) ++heard;
    }
    return heard > 0;
  }));
}

}  // namespace
}  // namespace fetchline
