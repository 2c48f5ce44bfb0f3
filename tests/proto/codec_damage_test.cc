// Whatever the bytes, decode() answers with a message within its bounds or with an error: it does
// not throw, crash or reach for more memory than the bytes warrant.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "proto/codec.h"
#include "tests/proto/largest_allocation.h"
#include "tests/proto/samples.h"
#include "tests/proto/wire_bytes.h"

namespace fetchline {
namespace {

using Error = std::optional<DecodeError>;

Error error_of(Frames frames) {
  auto decoded = decode(std::move(frames));
  if (const auto* error = std::get_if<DecodeError>(&decoded)) return *error;
  return std::nullopt;
}

Error error_of(MessageType type, const WireBytes& payload) {
  return error_of(framed(type, payload));
}

Frames one(std::string_view bytes) {
  Frames frames;
  frames.push_back(frame_of(bytes));
  return frames;
}

std::string open_bytes() {
  return encode(samples::job(), samples::kEpoch, samples::open()).at(0).to_string();
}

TEST(Decode, MissesTheFrame) { EXPECT_EQ(error_of(Frames()), DecodeError::no_frame); }

TEST(Decode, MissesThePartOfTheEnvelopeThatIsCutOff) {
  const std::string whole = open_bytes();
  for (std::size_t size = 0; size < kEnvelopeBytes; ++size) {
    EXPECT_EQ(error_of(one(whole.substr(0, size))), DecodeError::short_envelope) << size;
  }
}

TEST(Decode, KnowsItsOwnMagicVersionAndTypes) {
  const auto with_byte = [](std::size_t at, int value) {
    std::string bytes = open_bytes();
    bytes[at] = static_cast<char>(value);
    return error_of(one(bytes));
  };
  EXPECT_EQ(with_byte(0, 'G'), DecodeError::bad_magic);
  EXPECT_EQ(with_byte(1, 'K'), DecodeError::bad_magic);
  EXPECT_EQ(with_byte(2, 0), DecodeError::bad_version);
  EXPECT_EQ(with_byte(2, 2), DecodeError::bad_version);
  for (const int type : {0, 16, 127, 255}) {
    EXPECT_EQ(with_byte(3, type), DecodeError::unknown_type) << type;
  }
}

TEST(Decode, TakesOneFrameForAllButResults) {
  Frames frames = one(open_bytes());
  frames.push_back(frame_of("more"));
  EXPECT_EQ(error_of(std::move(frames)), DecodeError::too_many_frames);
}

Frames empty_results(std::size_t count) {
  Frames frames = encode_results_header({}, {}, {});
  for (std::size_t i = 0; i < count; ++i) frames.emplace_back();
  return frames;
}

TEST(Decode, TakesAsManyFramesAsAllowedAndNoMore) {
  EXPECT_EQ(error_of(empty_results(kMaxFrames - 1)), Error());
  EXPECT_EQ(error_of(empty_results(kMaxFrames)), DecodeError::too_many_frames);
}

TEST(Decode, KnowsADamagedPayloadOfEveryType) {
  const std::string cut = WireBytes().text(1, "12345").bytes().substr(0, 4);
  for (int type = 1; type <= 14; ++type) {
    Frames frames;
    frames.push_back(enveloped(static_cast<MessageType>(type), cut));
    EXPECT_EQ(error_of(std::move(frames)), DecodeError::bad_payload) << type;
  }
}

TEST(Decode, KnowsADamagedResultFrame) {
  Frames frames = encode_results_header({}, {}, {});
  frames.push_back(frame_of("\xFF\xFF\xFF"));
  EXPECT_EQ(error_of(std::move(frames)), DecodeError::bad_payload);
}

// Numbers beyond their bounds.

WireBytes inside(std::uint32_t field, const WireBytes& inner) {
  return WireBytes().message(field, inner);
}

TEST(Decode, TakesNoIndexBeyondTheHighest) {
  const auto total = [](std::uint64_t value) {
    return error_of(MessageType::end, WireBytes().number(1, value));
  };
  EXPECT_EQ(total(kMaxIndex - 1), Error());
  EXPECT_EQ(total(kMaxIndex), DecodeError::out_of_range);
  EXPECT_EQ(total(~std::uint64_t{0}), DecodeError::out_of_range);
  const WireBytes index = WireBytes().number(1, kMaxIndex);
  EXPECT_EQ(error_of(MessageType::tasks, inside(4, index)), DecodeError::out_of_range);
  EXPECT_EQ(error_of(MessageType::heartbeat, inside(9, index).fixed(1, 7)),
            DecodeError::out_of_range);
  EXPECT_EQ(error_of(MessageType::tasks, index), DecodeError::out_of_range);  // its seq
  EXPECT_EQ(error_of(MessageType::state, WireBytes().number(6, kMaxIndex + 1)),
            DecodeError::out_of_range);
  Frames result = encode_results_header({}, {}, {});
  result.push_back(frame_of(index.bytes()));
  EXPECT_EQ(error_of(std::move(result)), DecodeError::out_of_range);
}

TEST(Decode, TakesNoLinesBeyondTheTotalOrTheHighestNumber) {
  const auto lines = [](std::uint64_t first, std::size_t count, std::uint64_t total_plus_1) {
    WireBytes payload;
    payload.number(2, first).number(4, total_plus_1);
    for (std::size_t i = 0; i < count; ++i) payload.text(3, "x");
    return error_of(MessageType::lines, payload);
  };
  EXPECT_EQ(lines(5, 2, 8), Error());
  EXPECT_EQ(lines(5, 2, 7), DecodeError::out_of_range);
  EXPECT_EQ(lines(7, 0, 7), DecodeError::out_of_range);
  EXPECT_EQ(lines(kMaxIndex - 2, 2, 0), Error());
  EXPECT_EQ(lines(kMaxIndex - 2, 3, 0), DecodeError::out_of_range);
  EXPECT_EQ(lines(kMaxIndex, 0, 0), DecodeError::out_of_range);
  EXPECT_EQ(lines(0, kMaxLinesPerMessage, 0), Error());
  EXPECT_EQ(lines(0, kMaxLinesPerMessage + 1, 0), DecodeError::out_of_range);
  EXPECT_EQ(error_of(MessageType::want, WireBytes().number(1, kMaxIndex)),
            DecodeError::out_of_range);
}

TEST(Decode, TakesNoLineThatIsTwoOrLongerThanShowsThatItIsTooLong) {
  const auto line = [](const std::string& text) {
    return error_of(MessageType::lines, WireBytes().text(3, text));
  };
  EXPECT_EQ(line(std::string(kMaxLineBytesOnWire, 'x')), Error());
  EXPECT_EQ(line(std::string(kMaxLineBytesOnWire + 1, 'x')), DecodeError::out_of_range);
  EXPECT_EQ(line("a\rb"), Error());
  EXPECT_EQ(line("a\nb"), DecodeError::out_of_range);
}

TEST(Decode, TakesNoEnumeratorThatDoesNotExist) {
  const auto refused = [](std::uint64_t reason) {
    return error_of(MessageType::refused, WireBytes().number(1, reason));
  };
  EXPECT_EQ(refused(3), Error());
  EXPECT_EQ(refused(4), DecodeError::out_of_range);
  const auto report = [](std::uint32_t field, std::uint64_t value) {
    return error_of(MessageType::heartbeat,
                    inside(9, WireBytes().number(field, value)).fixed(1, 7));
  };
  EXPECT_EQ(report(3, 2), Error());
  EXPECT_EQ(report(3, 3), DecodeError::out_of_range);
  EXPECT_EQ(report(4, kOutcomeCount - 1), Error());
  EXPECT_EQ(report(4, kOutcomeCount), DecodeError::out_of_range);
  const auto http_version = [](std::uint64_t value) {
    return error_of(MessageType::tasks, inside(3, WireBytes().number(10, value)));
  };
  EXPECT_EQ(http_version(2), Error());
  EXPECT_EQ(http_version(3), DecodeError::out_of_range);
  Frames result = encode_results_header({}, {}, {});
  result.push_back(frame_of(WireBytes().number(3, kOutcomeCount).bytes()));
  EXPECT_EQ(error_of(std::move(result)), DecodeError::out_of_range);
}

TEST(Decode, TakesNoDurationLongerThanAYear) {
  constexpr std::uint64_t kYearMs = 366ULL * 24 * 3600 * 1000;
  const auto setting = [](std::uint32_t field, std::uint64_t value) {
    return error_of(MessageType::tasks, inside(3, WireBytes().number(field, value)));
  };
  for (const std::uint32_t field : {11U, 12U}) {
    EXPECT_EQ(setting(field, kYearMs), Error());
    EXPECT_EQ(setting(field, kYearMs + 1), DecodeError::out_of_range);
  }
  EXPECT_EQ(error_of(MessageType::tasks, inside(4, WireBytes().number(11, kYearMs + 1))),
            DecodeError::out_of_range);
  const auto retry_after = [](std::uint64_t value) {
    return error_of(MessageType::heartbeat, inside(9, WireBytes().number(5, value)).fixed(1, 7));
  };
  EXPECT_EQ(retry_after(kYearMs + 1), Error());
  EXPECT_EQ(retry_after(kYearMs + 2), DecodeError::out_of_range);
}

TEST(Decode, TakesNoNegativeTimes) {
  Frames frames = encode_results_header({}, {}, {});
  WireBytes fields;
  for (std::uint32_t field = 16; field <= 21; ++field) fields.number(field, ~std::uint64_t{0});
  frames.push_back(frame_of(fields.bytes()));
  const auto results = message_of<Results>(std::move(frames));
  EXPECT_GE(results.results.at(0).time_total.count(), 0);
  EXPECT_GE(results.results.at(0).fetched_at.count(), 0);
}

TEST(Decode, TakesNoSettingThatAWorkerCouldNotObey) {
  const auto settings = [](const WireBytes& payload) {
    return error_of(MessageType::tasks, inside(3, payload));
  };
  EXPECT_EQ(settings(WireBytes().number(15, kMaxBodyBytes)), Error());
  EXPECT_EQ(settings(WireBytes().number(15, kMaxBodyBytes + 1)), DecodeError::out_of_range);
  const auto accept = [&](std::uint64_t first, std::uint64_t last) {
    return settings(inside(16, WireBytes().number(1, first).number(2, last)));
  };
  EXPECT_EQ(accept(200, 999), Error());
  EXPECT_EQ(accept(300, 299), DecodeError::out_of_range);
  EXPECT_EQ(accept(200, 1000), DecodeError::out_of_range);
}

TEST(Decode, TakesNoMoreCountsThanThereAreOutcomes) {
  WireBytes counts, more;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) counts.number(1, i);
  EXPECT_EQ(error_of(MessageType::done, counts), Error());
  EXPECT_EQ(error_of(MessageType::done, counts.number(1, 1)), DecodeError::out_of_range);
}

// Sets, and how many there may be of what is repeated.

TEST(Decode, TakesOnlySetsInNormalForm) {
  const auto set = [](std::initializer_list<std::uint64_t> numbers) {
    return error_of(MessageType::state, inside(7, WireBytes().packed(1, numbers)));
  };
  EXPECT_EQ(set({0, 0, 2, 5}), Error());
  EXPECT_EQ(set({0}), DecodeError::out_of_range);           // half a pair
  EXPECT_EQ(set({0, 0, 1, 5}), DecodeError::out_of_range);  // adjacent
  EXPECT_EQ(set({0, 3, 0, 5}), DecodeError::out_of_range);  // overlapping
  EXPECT_EQ(set({kMaxIndex, 0}), DecodeError::out_of_range);
  EXPECT_EQ(set({0, kMaxIndex}), DecodeError::out_of_range);
  EXPECT_EQ(set({kMaxIndex - 1, 0}), Error());
  EXPECT_EQ(set({kMaxIndex - 1, 1}), DecodeError::out_of_range);
  EXPECT_EQ(set({5, kMaxIndex - 1}), DecodeError::out_of_range);          // the sum is too high
  EXPECT_EQ(set({5, ~std::uint64_t{0} - 2}), DecodeError::out_of_range);  // the sum wraps
}

TEST(Decode, TakesAsManyRangesAsAllowedAndNoMore) {
  const auto with_ranges = [](std::size_t count) {
    Acks acks;
    for (Index i = 0; i < count; ++i) acks.accepted.insert(2 * i);
    return error_of(encode({}, {}, acks));
  };
  EXPECT_EQ(with_ranges(kMaxRanges), Error());
  EXPECT_EQ(with_ranges(kMaxRanges + 1), DecodeError::out_of_range);
}

TEST(Decode, TakesAsManyTasksAndReportsAsAllowedAndNoMore) {
  Tasks tasks;
  tasks.tasks.resize(kMaxTasksPerMessage);
  EXPECT_EQ(error_of(encode({}, {}, tasks)), Error());
  tasks.tasks.emplace_back();
  EXPECT_EQ(error_of(encode({}, {}, tasks)), DecodeError::out_of_range);
  Heartbeat heartbeat;
  heartbeat.worker = WorkerId{7};
  heartbeat.reports.resize(kMaxReportsPerMessage);
  EXPECT_EQ(error_of(encode({}, {}, heartbeat)), Error());
  heartbeat.reports.emplace_back();
  EXPECT_EQ(error_of(encode({}, {}, heartbeat)), DecodeError::out_of_range);
}

// Bodies that are not what the result says.

Frames result_of_body(std::uint64_t claimed, std::initializer_list<std::size_t> frame_sizes) {
  Frames frames = encode_results_header({}, {}, {});
  frames.push_back(frame_of(WireBytes().number(26, claimed).bytes()));
  for (const std::size_t size : frame_sizes) frames.push_back(frame_of(std::string(size, 'x')));
  return frames;
}

TEST(Decode, PutsABodyTogetherFromFramesOfAnySize) {
  const auto results = message_of<Results>(result_of_body(6, {1, 3, 2}));
  EXPECT_EQ(results.results.at(0).body, "xxxxxx");
}

TEST(Decode, TakesNoBodyThatDoesNotAddUp) {
  EXPECT_EQ(error_of(result_of_body(10, {})), DecodeError::bad_body);
  EXPECT_EQ(error_of(result_of_body(10, {9})), DecodeError::bad_body);
  EXPECT_EQ(error_of(result_of_body(10, {11})), DecodeError::bad_body);
  EXPECT_EQ(error_of(result_of_body(10, {5, 6})), DecodeError::bad_body);
  EXPECT_EQ(error_of(result_of_body(10, {5, 0, 5})), DecodeError::bad_body);
  EXPECT_EQ(error_of(result_of_body(10, {10})), Error());
}

TEST(Decode, GivesNoMemoryToABodyThatIsOnlyClaimed) {
  for (const std::uint64_t claimed : {std::uint64_t{kMaxBodyBytes}, ~std::uint64_t{0}}) {
    Frames nothing = result_of_body(claimed, {});
    Frames little = result_of_body(claimed, {100, 100});
    const LargestAllocation watch;
    EXPECT_EQ(error_of(std::move(nothing)), DecodeError::bad_body);
    EXPECT_EQ(error_of(std::move(little)), DecodeError::bad_body);
    EXPECT_LT(watch.bytes(), std::size_t{1} << 20);
  }
}

TEST(Decode, MissesEveryFrameOfABody) {
  Frames frames = encode_results_header({}, {}, {});
  for (const std::size_t bytes : {2 * kShortBodyBytes, std::size_t{0}}) {
    Result result;
    result.body.assign(bytes, 'x');
    EncodedResult encoded = encode_result(std::move(result));
    append_result(frames, encoded);
  }
  ASSERT_EQ(frames.size(), 4U);  // header, a result, its body, a result without one
  frames.erase(frames.begin() + 2);
  EXPECT_EQ(error_of(std::move(frames)), DecodeError::bad_body);
}

TEST(Decode, TakesNoMoreEmittedLinesThanOneResultMayHave) {
  const auto error_of_lines = [](std::size_t bytes) {
    Result result;
    result.emit = {.lines = std::string(bytes, 'x'), .error = {}};
    EncodedResult encoded = encode_result(std::move(result));
    Frames frames = encode_results_header({}, {}, {});
    append_result(frames, encoded);
    return error_of(std::move(frames));
  };
  EXPECT_EQ(error_of_lines(kMaxEmitBytes), Error());
  EXPECT_EQ(error_of_lines(kMaxEmitBytes + 1), DecodeError::bad_body);
}

TEST(DecodeError, HasATextForEach) {
  for (int error = 0; error <= static_cast<int>(DecodeError::bad_body); ++error) {
    EXPECT_NE(to_string(static_cast<DecodeError>(error)), "unknown error");
  }
}

TEST(CodecDamage, GivesAClaimNoMoreMemoryThanItsFramesHave) {
  EncodedResult encoded = encode_result({});
  Frames frames = encode_results_header(job_number(1), Epoch{1}, WorkerId{7});
  append_result(frames, encoded);
  // body_bytes (field 26) of 1 GiB, over the one that was written.
  WireBytes claim;
  claim.number(26, std::uint64_t{1} << 30);
  frames[1] = frame_of(std::string(frames[1].to_string_view()) + std::string(claim.bytes()));
  for (int i = 0; i < 1024; ++i) frames.push_back(frame_of("x"));
  EXPECT_EQ(error_of(std::move(frames)), DecodeError::bad_body);
}

TEST(CodecDamage, RefusesABodyInTheFieldsAndBesideThem) {
  Result result;
  result.body = "short";
  EncodedResult encoded = encode_result(std::move(result));
  Frames frames = encode_results_header(job_number(1), Epoch{1}, WorkerId{7});
  append_result(frames, encoded);
  WireBytes claim;
  claim.number(26, 1);
  frames[1] = frame_of(std::string(frames[1].to_string_view()) + std::string(claim.bytes()));
  frames.push_back(frame_of("x"));
  EXPECT_EQ(error_of(std::move(frames)), DecodeError::bad_body);
}

TEST(CodecDamage, RefusesAHeartbeatOfNobody) {
  Heartbeat nobody;
  EXPECT_EQ(error_of(encode(job_number(1), Epoch{1}, nobody)), DecodeError::out_of_range);
}

TEST(CodecDamage, TakesAWorkerNameOfAnyBytes) {
  Heartbeat odd;
  odd.worker = WorkerId{1};
  odd.name = "\xff\xfe";
  EXPECT_EQ(error_of(encode(job_number(1), Epoch{1}, odd)), std::nullopt);
}

TEST(CodecDamage, RefusesLimitsBeyondEverything) {
  State state;
  state.dispatch_limit = ~Index{0};
  EXPECT_EQ(error_of(encode(job_number(1), Epoch{1}, state)), DecodeError::out_of_range);
}

}  // namespace
}  // namespace fetchline
