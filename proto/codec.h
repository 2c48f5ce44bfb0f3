// Messages to frames and back. Pure; any thread.
//
// A message is frame 0 (a fixed 24-byte envelope and a protobuf payload) and, for Results, the
// frames of each result: one with its fields, then its body, and what it emits, cut into frames of
// at most 1 MiB.
// decode() never throws, whatever the bytes: what a peer sends is data, not a reason to die.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "proto/ids.h"
#include "proto/messages.h"

namespace fetchline {

using Frames = std::vector<zmq::message_t>;

inline constexpr std::uint16_t kProtocolMagic = 0x464C;  // "FL"
inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kEnvelopeBytes = 24;
// libzmq takes memory for a frame as soon as its length is announced: no frame is longer than this.
inline constexpr std::size_t kMaxBodyFrameBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxFrameBytes = kMaxBodyFrameBytes + (kMaxBodyFrameBytes / 8);
// A body up to this is in the frame of its result's fields: of 1 KiB that saves 1,300 instructions.
inline constexpr std::size_t kShortBodyBytes = 8 * 1024;
inline constexpr std::size_t kMaxFrames = 4096;  // MAXMSGSIZE is per frame, so count them too
inline constexpr std::size_t kMaxBodyBytes = std::size_t{1} << 30;
inline constexpr std::chrono::hours kMaxDuration{366 * 24};   // of any time in a message
inline constexpr std::size_t kMaxSettingsBytes = 512 * 1024;  // a job's, in one frame with tasks
inline constexpr std::size_t kMaxNameBytes = 256;             // of a worker
inline constexpr std::size_t kMaxRanges = 65'536;             // in one set
inline constexpr std::size_t kMaxTasksPerMessage = 256;
inline constexpr std::size_t kMaxReportsPerMessage = 4096;
inline constexpr std::size_t kMaxHashesPerMessage = 65'536;  // of one Recap
inline constexpr std::size_t kMaxLinesPerMessage = 4096;
// A line of more than 64 KiB is no task whatever else is in it: so much shows that it is longer,
// with a carriage return at its end too.
inline constexpr std::size_t kMaxLineBytesOnWire = kMaxTaskLineBytes + 2;

// The type byte of the envelope. Numbers are never used again for something else.
enum class MessageType : std::uint8_t {
  heartbeat = 1,
  tasks = 2,
  results = 3,
  acks = 4,
  open = 5,
  state = 6,
  end = 7,
  done = 8,
  bye = 9,
  refused = 10,
  recap = 11,
  want = 12,
  lines = 13,
  enough = 14,
  begin = 15,
};

enum class DecodeError : std::uint8_t {
  no_frame,
  too_many_frames,
  short_envelope,
  bad_magic,
  bad_version,
  unknown_type,
  bad_payload,   // not the protobuf message that the type says
  out_of_range,  // a number, an enum or a set beyond its bounds
  bad_body,      // body frames that do not add up to what the result says
  not_allowed,   // whole, but not the sender's to say: see proto/permissions.h
};
[[nodiscard]] std::string_view to_string(DecodeError error);

struct Received {
  JobId job;
  Epoch epoch{};
  Message message;
};

// Consumes the frames. `frames` is what came after the routing id.
[[nodiscard]] std::variant<Received, DecodeError> decode(Frames frames);

[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Heartbeat& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Tasks& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Acks& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Open& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const State& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const End& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Done& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Bye& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Refused& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Recap& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Want& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Lines& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Enough& message);
[[nodiscard]] Frames encode(const JobId& job, Epoch epoch, const Begin& message);

// A result in its frames, ready to be sent any number of times without another copy of the body.
struct EncodedResult {
  Index index = 0;
  std::size_t bytes = 0;  // of all its frames
  Frames frames;
};
[[nodiscard]] EncodedResult encode_result(Result result);

// Starts a Results message; the frames of results are appended to it.
[[nodiscard]] Frames encode_results_header(const JobId& job, Epoch epoch, WorkerId sender);
void append_result(Frames& message, EncodedResult& result);  // shares the bytes, keeps `result`

// A result as one piece of bytes, for a log: its fields as on the wire, their length before them,
// then the body and what it emits.
void append_stored(std::string& to, const Result& result);
[[nodiscard]] std::optional<Result> decode_stored(std::string_view bytes);

}  // namespace fetchline
