// What goes into the codec comes out of it.
#include "proto/codec.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/proto/same.h"
#include "tests/proto/samples.h"
#include "tests/proto/wire_bytes.h"

namespace fetchline {
namespace {

using samples::kEpoch;

constexpr std::size_t kMiB = std::size_t{1} << 20;

template <class T>
void expect_round_trip(const T& message) {
  Frames frames = encode(samples::job(), kEpoch, message);
  EXPECT_EQ(frames.size(), 1U);
  const Received received = received_of(std::move(frames));
  EXPECT_EQ(received.job, samples::job());
  EXPECT_EQ(received.epoch, kEpoch);
  ASSERT_TRUE(std::holds_alternative<T>(received.message));
  expect_same(std::get<T>(received.message), message);
}

TEST(Codec, BringsBackAHeartbeat) { expect_round_trip(samples::heartbeat()); }

TEST(Codec, BringsBackThatAWorkerIsCutOff) {
  Heartbeat heartbeat;
  heartbeat.worker = samples::kWorker;
  heartbeat.cut_off = true;
  expect_round_trip(heartbeat);
}
TEST(Codec, BringsBackTasks) { expect_round_trip(samples::tasks()); }
TEST(Codec, BringsBackAcks) { expect_round_trip(samples::acks()); }
TEST(Codec, BringsBackOpen) { expect_round_trip(samples::open()); }
TEST(Codec, BringsBackAState) { expect_round_trip(samples::state()); }
TEST(Codec, BringsBackAnEnd) { expect_round_trip(samples::end()); }
TEST(Codec, BringsBackDone) { expect_round_trip(samples::done()); }
TEST(Codec, BringsBackABye) { expect_round_trip(samples::bye()); }
TEST(Codec, BringsBackAByeThatEndsDoubts) { expect_round_trip(Bye{.begun_below = 0}); }
TEST(Codec, BringsBackABegin) { expect_round_trip(Begin{17}); }

TEST(Codec, BringsBackEveryReasonOfARefusal) {
  expect_round_trip(Refused{Refused::Reason::busy});
  expect_round_trip(Refused{Refused::Reason::fenced});
}

TEST(Codec, BringsBackMessagesThatSayNothing) {
  Heartbeat login;
  login.worker = samples::kWorker;
  expect_round_trip(login);
  expect_round_trip(Tasks{});
  expect_round_trip(Acks{});
  expect_round_trip(Open{});
  expect_round_trip(State{});
  expect_round_trip(End{});
  expect_round_trip(Done{});
  expect_round_trip(Bye{});
}

TEST(Codec, BringsBackDefaultsOfSettingsAndTasks) {
  Tasks message;
  message.settings = JobSettings();
  message.tasks = {Task()};
  expect_round_trip(message);
}

TEST(Codec, TellsAnAbsentBodyFromAnEmptyOne) {
  Tasks message;
  message.settings = JobSettings();
  message.settings->body = "";
  message.tasks.resize(2);
  message.tasks[1].body = "";
  expect_round_trip(message);
}

TEST(Codec, BringsBackResultsOneAfterTheOther) {
  const Received received = received_of(samples::results_frames());
  EXPECT_EQ(received.job, samples::job());
  EXPECT_EQ(received.epoch, kEpoch);
  ASSERT_TRUE(std::holds_alternative<Results>(received.message));
  expect_same(std::get<Results>(received.message),
              {samples::kWorker, {samples::result(), samples::bare_result()}});
}

Result emitting(std::string lines, std::string error = {}) {
  Result result = samples::result();
  result.emit = {.lines = std::move(lines), .error = std::move(error)};
  return result;
}

Results through_the_wire(const std::vector<Result>& results) {
  Frames frames = encode_results_header({}, {}, samples::kWorker);
  for (const Result& each : results) {
    EncodedResult encoded = encode_result(each);
    append_result(frames, encoded);
  }
  for (const zmq::message_t& frame : frames) EXPECT_LE(frame.size(), kMaxBodyFrameBytes);
  return message_of<Results>(std::move(frames));
}

TEST(Codec, TellsNothingEmittedFromNothingFoundOut) {
  const std::vector<Result> results = {samples::result(), emitting(""), emitting("", "why"),
                                       emitting("https://a.example/\n"), samples::bare_result()};
  expect_same(through_the_wire(results), {samples::kWorker, results});
}

TEST(Codec, BringsBackManyLinesWithoutABodyAndBehindOne) {
  Result alone = emitting(std::string(3 * kMiB + 1, 'x'));
  alone.body.clear();
  const std::vector<Result> results = {emitting(std::string(2 * kMiB, 'y')), alone,
                                       samples::bare_result()};
  expect_same(through_the_wire(results), {samples::kWorker, results});
}

TEST(Codec, BringsBackAResultsMessageWithoutResults) {
  const auto results = message_of<Results>(encode_results_header({}, {}, samples::kWorker));
  EXPECT_EQ(results.sender, samples::kWorker);
  EXPECT_TRUE(results.results.empty());
}

TEST(Codec, BringsBackEveryOutcome) {
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    Result result;
    result.outcome = static_cast<Outcome>(i);
    EncodedResult encoded = encode_result(std::move(result));
    Frames frames = encode_results_header({}, {}, {});
    append_result(frames, encoded);
    const auto results = message_of<Results>(std::move(frames));
    ASSERT_EQ(results.results.size(), 1U);
    EXPECT_EQ(results.results[0].outcome, static_cast<Outcome>(i));
  }
}

TEST(Codec, BringsBackTheLargestEpoch) {
  const Received received = received_of(encode(samples::job(), Epoch{0xFFFFFFFF}, Open{}));
  EXPECT_EQ(received.epoch, Epoch{0xFFFFFFFF});
}

// Bodies around the sizes where the way they travel changes.
class CodecBody : public testing::TestWithParam<std::size_t> {};

std::string random_bytes(std::size_t size) {
  std::mt19937 random(static_cast<std::uint32_t>(size));
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 1 + random() % 64) bytes[i] = static_cast<char>(random());
  return bytes;
}

Result result_with_body(Index index, std::string body) {
  Result result;
  result.index = index;
  result.body = std::move(body);
  return result;
}

TEST_P(CodecBody, ComesBackWholeBetweenItsNeighbours) {
  const std::string body = random_bytes(GetParam());
  Frames frames = encode_results_header({}, {}, {});
  for (Index index = 0; index < 3; ++index) {
    EncodedResult encoded = encode_result(result_with_body(index, index == 1 ? body : "small"));
    append_result(frames, encoded);
  }
  for (const zmq::message_t& frame : frames) EXPECT_LE(frame.size(), kMaxBodyFrameBytes);
  const auto results = message_of<Results>(std::move(frames));
  ASSERT_EQ(results.results.size(), 3U);
  for (Index index = 0; index < 3; ++index) {
    EXPECT_EQ(results.results[index].index, index);
    EXPECT_TRUE(results.results[index].body == (index == 1 ? body : "small"));
  }
}

TEST_P(CodecBody, TakesNoMoreFramesThanItMust) {
  const EncodedResult encoded = encode_result(result_with_body(5, random_bytes(GetParam())));
  EXPECT_EQ(encoded.index, 5U);
  const std::size_t of_body = GetParam() <= kShortBodyBytes ? 0 : (GetParam() + kMiB - 1) / kMiB;
  EXPECT_EQ(encoded.frames.size(), 1 + of_body);
  std::size_t bytes = 0;
  for (const zmq::message_t& frame : encoded.frames) bytes += frame.size();
  EXPECT_EQ(encoded.bytes, bytes);
  EXPECT_GE(encoded.bytes, GetParam());
}

// The first message is decoded, which empties its frames, before the second is made.
TEST_P(CodecBody, CanBeSentAgain) {
  const std::string body = random_bytes(GetParam());
  EncodedResult encoded = encode_result(result_with_body(5, body));
  for (int i = 0; i < 2; ++i) {
    Frames frames = encode_results_header({}, {}, {});
    append_result(frames, encoded);
    const auto results = message_of<Results>(std::move(frames));
    ASSERT_EQ(results.results.size(), 1U);
    EXPECT_TRUE(results.results[0].body == body);
  }
}

TEST_P(CodecBody, OutlivesTheOneWhoEncodedIt) {
  const std::string body = random_bytes(GetParam());
  Frames frames = encode_results_header({}, {}, {});
  {
    EncodedResult encoded = encode_result(result_with_body(5, body));
    append_result(frames, encoded);
  }
  EXPECT_TRUE(message_of<Results>(std::move(frames)).results.at(0).body == body);
}

INSTANTIATE_TEST_SUITE_P(Sizes, CodecBody,
                         testing::Values(0, 1, kShortBodyBytes, kShortBodyBytes + 1, kMiB - 1, kMiB,
                                         kMiB + 1, 5 * kMiB),
                         testing::PrintToStringParamName());

TEST(Codec, DoesNotCopyALargeBodyToSendItAgain) {
  EncodedResult encoded = encode_result(result_with_body(0, std::string(kMiB, 'x')));
  Frames frames = encode_results_header({}, {}, {});
  append_result(frames, encoded);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[2].data(), encoded.frames[1].data());
}

TEST(Codec, PutsTheEnvelopeInNetworkOrder) {
  const Frames frames = encode(samples::job(), kEpoch, Open{});
  const std::string_view bytes = frames.at(0).to_string_view();
  EXPECT_EQ(bytes.substr(0, 4), std::string_view("FL\x01\x05"));
  EXPECT_EQ(bytes.substr(4, 1), "\xA0");
  EXPECT_EQ(bytes.substr(19, 5), std::string_view("\xAF\x01\x02\x03\x04"));
}

TEST(Codec, PassesOverFieldsItDoesNotKnow) {
  WireBytes payload;
  payload.number(1, 77).text(1000, "unheard of").number(1001, 5).fixed(1002, 6);
  EXPECT_EQ(message_of<End>(framed(MessageType::end, payload)).total, 77U);
}

TEST(Stored, AResultComesBackAsItWas) {
  for (const Result& result : {samples::result(), samples::bare_result(), emitting("a\n"),
                               emitting("", "why"), emitting("")}) {
    std::string bytes;
    append_stored(bytes, result);
    const auto back = decode_stored(bytes);
    ASSERT_TRUE(back.has_value());
    expect_same(*back, result);
  }
}

TEST(Stored, CutShortAnywhereItIsNotAResult) {
  std::string bytes;
  append_stored(bytes, emitting("https://a.example/\n"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_stored(std::string_view(bytes).substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace fetchline
