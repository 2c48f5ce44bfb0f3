// Any damage at all: bytes cut off, turned and made up. decode() answers with a message within its
// bounds or with an error.
#include <gtest/gtest.h>

#include <random>

#include "proto/codec.h"
#include "tests/proto/samples.h"
#include "tests/proto/wire_bytes.h"

namespace fetchline {
namespace {

std::vector<std::pair<std::string, Frames>> every_message() {
  const auto job = samples::job();
  std::vector<std::pair<std::string, Frames>> all;
  all.emplace_back("heartbeat", encode(job, samples::kEpoch, samples::heartbeat()));
  all.emplace_back("tasks", encode(job, samples::kEpoch, samples::tasks()));
  all.emplace_back("results", samples::results_frames());
  all.emplace_back("acks", encode(job, samples::kEpoch, samples::acks()));
  all.emplace_back("open", encode(job, samples::kEpoch, samples::open()));
  all.emplace_back("state", encode(job, samples::kEpoch, samples::state()));
  all.emplace_back("end", encode(job, samples::kEpoch, samples::end()));
  all.emplace_back("done", encode(job, samples::kEpoch, samples::done()));
  all.emplace_back("bye", encode(job, samples::kEpoch, samples::bye()));
  all.emplace_back("refused", encode(job, samples::kEpoch, Refused{Refused::Reason::fenced}));
  all.emplace_back("want", encode(job, samples::kEpoch, Want{77, 4096}));
  const Lines lines{.boot = samples::kBoot, .first = 77, .lines = {"a", "b"}, .total = 79};
  all.emplace_back("lines", encode(job, samples::kEpoch, lines));
  return all;
}

void expect_within_bounds(const IndexSet& set) {
  EXPECT_LE(set.ranges().size(), kMaxRanges);
  for (const IndexRange& range : set.ranges()) {
    EXPECT_LE(range.first, range.last);
    EXPECT_LT(range.last, kMaxIndex);
  }
}

void expect_within_bounds(const Received& received) {
  if (const auto* heartbeat = std::get_if<Heartbeat>(&received.message)) {
    expect_within_bounds(heartbeat->received);
    for (const Report& report : heartbeat->reports) EXPECT_LT(report.index, kMaxIndex);
  } else if (const auto* tasks = std::get_if<Tasks>(&received.message)) {
    for (const Task& task : tasks->tasks) EXPECT_LT(task.index, kMaxIndex);
  } else if (const auto* results = std::get_if<Results>(&received.message)) {
    for (const Result& result : results->results) {
      EXPECT_LT(result.index, kMaxIndex);
      EXPECT_LT(static_cast<std::size_t>(result.outcome), kOutcomeCount);
    }
  } else if (const auto* acks = std::get_if<Acks>(&received.message)) {
    expect_within_bounds(acks->accepted);
    expect_within_bounds(acks->refused);
  } else if (const auto* state = std::get_if<State>(&received.message)) {
    expect_within_bounds(state->committed);
    EXPECT_LT(state->total.value_or(0), kMaxIndex);
  } else if (const auto* want = std::get_if<Want>(&received.message)) {
    EXPECT_LT(want->from, kMaxIndex);
  } else if (const auto* lines = std::get_if<Lines>(&received.message)) {
    EXPECT_LT(lines->first, kMaxIndex);
    EXPECT_LE(lines->first + lines->lines.size(), lines->total.value_or(kMaxIndex));
    for (const std::string& line : lines->lines) EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

void decode_anything(Frames frames) {
  const auto decoded = decode(std::move(frames));
  if (const auto* received = std::get_if<Received>(&decoded)) {
    expect_within_bounds(*received);
  } else {
    EXPECT_NE(to_string(std::get<DecodeError>(decoded)), "unknown error");
  }
}

TEST(Decode, BearsTruncationAtEveryByteOfEveryFrame) {
  for (const auto& [name, frames] : every_message()) {
    SCOPED_TRACE(name);
    for (std::size_t at = 0; at < frames.size(); ++at) {
      for (std::size_t size = 0; size < frames[at].size(); ++size) {
        Frames cut = copy_of(frames);
        cut[at] = frame_of(frames[at].to_string_view().substr(0, size));
        decode_anything(std::move(cut));
      }
    }
  }
}

TEST(Decode, BearsRandomDamage) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto damage = [&](zmq::message_t& frame) {
    std::string bytes = frame.to_string();
    for (auto edits = 1 + random() % 4; edits > 0 && !bytes.empty(); --edits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ 1U << random() % 8);
          break;
        case 2:
          bytes.erase(at, 1 + random() % 8);
          break;
        default:
          bytes.insert(at, 1 + random() % 8, static_cast<char>(random()));
      }
    }
    frame = frame_of(bytes);
  };
  const auto messages = every_message();
  for (int i = 0; i < 20'000; ++i) {
    const auto& [name, whole] = messages[random() % messages.size()];
    SCOPED_TRACE(name);
    Frames frames = copy_of(whole);
    damage(frames[random() % frames.size()]);
    decode_anything(std::move(frames));
    if (HasFailure()) return;
  }
}

TEST(Decode, BearsRandomPayloadsOfEveryType) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string payload(random() % 40, '\0');
    for (char& byte : payload) byte = static_cast<char>(random() % (i % 2 == 0 ? 256 : 32));
    Frames frames;
    frames.push_back(enveloped(static_cast<MessageType>(1 + random() % 10), payload));
    decode_anything(std::move(frames));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fetchline
