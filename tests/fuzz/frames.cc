// decode() of any frames: never throws, and what it takes says the same when it is encoded again.
// The input: frames, each with its length before it, 2 bytes, most significant first.
#include <variant>

#include "proto/codec.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fields.h"

namespace fetchline::fuzz {
namespace {

Frames frames_of(Bytes input) {
  Frames frames;
  while (!input.empty()) {
    const std::string_view frame = input.take(static_cast<std::size_t>(input.number(2)));
    frames.emplace_back(frame.data(), frame.size());
  }
  return frames;
}

Frames encoded(const Received& received) {
  if (const auto* results = std::get_if<Results>(&received.message)) {
    Frames frames = encode_results_header(received.job, received.epoch, results->sender);
    for (const Result& result : results->results) {
      EncodedResult one = encode_result(result);
      append_result(frames, one);
    }
    return frames;
  }
  return std::visit(
      [&](const auto& message) {
        if constexpr (std::is_same_v<std::decay_t<decltype(message)>, Results>) {
          return Frames();
        } else {
          return encode(received.job, received.epoch, message);
        }
      },
      received.message);
}

bool says_the_same(const Received& a, const Received& b) {
  if (a.job != b.job || a.epoch != b.epoch || a.message.index() != b.message.index()) return false;
  return std::visit(
      [&](const auto& message) {
        return same(message, std::get<std::decay_t<decltype(message)>>(b.message));
      },
      a.message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = decode(frames_of({data, size}));
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    check(!to_string(*error).empty(), "an error has a name");
    return 0;
  }
  const auto& received = std::get<Received>(decoded);
  const auto again = decode(encoded(received));
  check(std::holds_alternative<Received>(again), "what was decoded can be sent");
  check(says_the_same(received, std::get<Received>(again)), "it says the same when it is sent");
  return 0;
}

}  // namespace fetchline::fuzz
