// Frames as version 1 of the protocol wrote them decode for ever, to the same values.
//
// tests/golden/v1/NAME.hex holds a message, a frame a line. Such a file never changes. For a new
// message type add a line to for_each_message() and run the test with TEST_WRITE_GOLDEN=1
// once: it writes the files that are missing and touches no other.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proto/codec.h"
#include "tests/proto/same.h"
#include "tests/proto/samples.h"

namespace fetchline {
namespace {

std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(FETCHLINE_GOLDEN_DIRECTORY) / "v1" / (name + ".hex");
}

std::string hex_of(const Frames& frames) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const zmq::message_t& frame : frames) {
    for (const char c : frame.to_string_view()) {
      const auto byte = static_cast<unsigned char>(c);
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    text += '\n';
  }
  return text;
}

Frames frames_of(std::istream& hex) {
  Frames frames;
  for (std::string line; std::getline(hex, line);) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
    }
    frames.push_back(frame_of(bytes));
  }
  return frames;
}

Frames results_frames_of(const std::vector<Result>& results) {
  Frames frames = encode_results_header(samples::job(), samples::kEpoch, samples::kWorker);
  for (const Result& each : results) {
    EncodedResult encoded = encode_result(each);
    append_result(frames, encoded);
  }
  return frames;
}

// name, the message's value, its frames as we write them now
template <class Visit>
void for_each_message(Visit visit) {
  const auto plain = [&](const std::string& name, const auto& message) {
    visit(name, message, encode(samples::job(), samples::kEpoch, message));
  };
  Tasks answer;
  answer.reports_seen = 36;
  State early = samples::state();
  early.total.reset();
  plain("heartbeat", samples::heartbeat());
  Heartbeat login;
  login.worker = samples::kWorker;
  plain("heartbeat_login", login);
  plain("tasks", samples::tasks());
  plain("tasks_none", answer);
  visit("results", Results{samples::kWorker, {samples::result(), samples::bare_result()}},
        samples::results_frames());
  plain("acks", samples::acks());
  plain("open", samples::open());
  plain("state", samples::state());
  plain("state_total_unknown", early);
  plain("end", samples::end());
  plain("done", samples::done());
  plain("bye", samples::bye());
  plain("refused_busy", Refused{Refused::Reason::busy});
  plain("refused_fenced", Refused{Refused::Reason::fenced});
  Heartbeat queued;
  queued.worker = samples::kWorker;
  queued.queued = set_of({{70, 75}, {90, 90}});
  plain("heartbeat_queued", queued);
  Tasks hashed;
  hashed.seq = 3;
  Task task;
  task.index = 7;
  task.hash = samples::kNonce;
  task.url = "http://e.example/";
  hashed.tasks = {task};
  plain("tasks_hashed", hashed);
  Result of_hashed = samples::bare_result();
  of_hashed.task_hash = samples::kNonce;
  visit("results_hashed", Results{samples::kWorker, {of_hashed}}, results_frames_of({of_hashed}));
  plain("open_resume", Open{.nonce = samples::kNonce, .in_hand = 12, .resume = true});
  State recovered = samples::state();
  recovered.log = 0x1020304050607080;
  recovered.compare_to = 601;
  recovered.compared = 77;
  plain("state_recovered", recovered);
  plain("recap", Recap{.first = 4096, .hashes = {1, samples::kNonce, 0}});
  Heartbeat cut_off;
  cut_off.worker = samples::kWorker;
  cut_off.draining = cut_off.cut_off = true;
  plain("heartbeat_cut_off", cut_off);
  plain("refused_other_input", Refused{Refused::Reason::other_input, 17});
  plain("refused_outdated", Refused{Refused::Reason::outdated});
  recovered.whole = true;
  plain("state_whole", recovered);
  plain("want", Want{.from = 70'001, .credit_bytes = 262'144});
  const std::vector<std::string> lines = {"http://a.example/", "", "{\"url\":\"\xFF\"}\r"};
  plain("lines", Lines{.boot = samples::kBoot, .first = 70'001, .lines = lines, .total = {}});
  plain("lines_total", Lines{.boot = samples::kBoot, .first = 0, .lines = {}, .total = 0});
  plain("enough", Enough{});
  plain("open_input_gone",
        Open{.nonce = samples::kNonce, .in_hand = 0, .resume = true, .input_gone = true});
  Result emitting = samples::bare_result();
  emitting.outcome = Outcome::ok;
  emitting.body = "body";
  emitting.emit = {.lines = "https://a.example/\n{\"url\":\"https://b.example/\"}\n", .error = {}};
  Result failing = emitting;
  failing.emit = {.lines = {}, .error = "the command ended with code 1"};
  visit("results_emit", Results{samples::kWorker, {emitting, failing}},
        results_frames_of({emitting, failing}));
  visit("results_short_body", Results{samples::kWorker, {samples::result()}},
        results_frames_of({samples::result()}));
  recovered.begun_below = 650;
  recovered.begun_before = 640;
  plain("state_begun", recovered);
  plain("begin", Begin{650});
  plain("bye_begun", Bye{.begun_below = 648});
  Heartbeat holding;
  holding.worker = samples::kWorker;
  holding.of_older_epoch = set_of({{3, 4}, {9, 9}});
  plain("heartbeat_of_older_epoch", holding);
  queued.running = 17;
  plain("heartbeat_running", queued);
}

void write_missing() {
  for_each_message([](const std::string& name, const auto&, const Frames& frames) {
    if (!std::filesystem::exists(golden_path(name))) {
      std::ofstream(golden_path(name)) << hex_of(frames);
    }
  });
}

TEST(Golden, FramesOfVersionOneDecodeForEver) {
  if (std::getenv("TEST_WRITE_GOLDEN") != nullptr) write_missing();
  for_each_message([](const std::string& name, const auto& expected, const Frames&) {
    SCOPED_TRACE(name);
    std::ifstream file(golden_path(name));
    ASSERT_TRUE(file) << golden_path(name);
    const Received received = received_of(frames_of(file));
    EXPECT_EQ(received.job, samples::job());
    EXPECT_EQ(received.epoch, samples::kEpoch);
    const auto* message = std::get_if<std::decay_t<decltype(expected)>>(&received.message);
    ASSERT_NE(message, nullptr);
    expect_same(*message, expected);
  });
}

TEST(Golden, EveryFileIsLookedAt) {
  std::size_t expected = 0, present = 0;
  for_each_message([&](const std::string&, const auto&, const Frames&) { ++expected; });
  for (const auto& file : std::filesystem::directory_iterator(golden_path("any").parent_path())) {
    present += file.path().extension() == ".hex" ? 1 : 0;
  }
  EXPECT_EQ(present, expected);
}

}  // namespace
}  // namespace fetchline
