#include <chrono>
#include <cstring>
#include <utility>

#include "proto/codec.h"
#include "wire.pb.h"

namespace fetchline {
namespace {

// Thrown and caught inside decode() only: it keeps the readers below straight.
struct Malformed {
  DecodeError error;
};

void require(bool condition, DecodeError error) {
  if (!condition) throw Malformed{error};
}

Index index_of(std::uint64_t value) {
  require(value < kMaxIndex, DecodeError::out_of_range);
  return value;
}

// A limit: one past an index, or past a window that begins at one.
Index limit_of(std::uint64_t value) {
  require(value <= 2 * kMaxIndex, DecodeError::out_of_range);
  return value;
}

template <class Enum>
Enum enum_of(std::uint32_t value, std::uint32_t count) {
  require(value < count, DecodeError::out_of_range);
  return static_cast<Enum>(value);
}

std::chrono::milliseconds ms_of(std::uint64_t value) {
  constexpr auto kMost =
      static_cast<std::uint64_t>(std::chrono::milliseconds(kMaxDuration).count());
  require(value <= kMost, DecodeError::out_of_range);
  return std::chrono::milliseconds(value);
}

std::chrono::microseconds us_of(std::uint64_t value) {
  return std::chrono::microseconds(static_cast<std::int64_t>(value & 0xFFFF'FFFF'FFFFULL));
}

IndexSet set_of(const wire::Ranges& ranges) {
  const auto& numbers = ranges.gaps_and_lengths();
  require(numbers.size() % 2 == 0, DecodeError::out_of_range);
  require(static_cast<std::size_t>(numbers.size()) / 2 <= kMaxRanges, DecodeError::out_of_range);
  IndexSet set;
  Index previous_end = 0;
  for (int i = 0; i < numbers.size(); i += 2) {
    const Index first = index_of(previous_end + index_of(numbers[i]));
    const Index last = index_of(first + index_of(numbers[i + 1]));
    require(i == 0 || first > previous_end + 1, DecodeError::out_of_range);
    set.insert(IndexRange{first, last});
    previous_end = last;
  }
  return set;
}

JobSettings settings_of(const wire::Settings& from) {
  JobSettings to;
  to.method = from.method();
  to.headers.assign(from.headers().begin(), from.headers().end());
  if (from.has_body()) to.body = from.body();
  to.user_agent = from.user_agent();
  to.user_password = from.user_password();
  to.proxy = from.proxy();
  to.follow_location = from.follow_location();
  to.max_redirs = from.max_redirs();
  to.compressed = from.compressed();
  to.http_version = enum_of<JobSettings::HttpVersion>(from.http_version(), 3);
  to.connect_timeout = ms_of(from.connect_timeout_ms());
  to.max_time = ms_of(from.max_time_ms());
  to.speed_limit = from.speed_limit();
  to.speed_time = std::chrono::seconds(from.speed_time_s() & 0xFFFFFFU);
  require(from.max_filesize_bytes() <= kMaxBodyBytes, DecodeError::out_of_range);
  to.max_filesize_bytes = from.max_filesize_bytes();
  for (const auto& range : from.accept()) {
    require(range.first() <= range.last() && range.last() <= 999, DecodeError::out_of_range);
    to.accept.push_back(
        {static_cast<std::uint16_t>(range.first()), static_cast<std::uint16_t>(range.last())});
  }
  to.retry_unsafe = from.retry_unsafe();
  return to;
}

Task task_of(wire::Task& from) {
  Task to;
  to.index = index_of(from.index());
  to.attempt = from.attempt();
  to.may_retry = from.may_retry();
  to.url = std::move(*from.mutable_url());
  to.id = std::move(*from.mutable_id());
  to.method = std::move(*from.mutable_method());
  to.headers.assign(from.headers().begin(), from.headers().end());
  if (from.has_body()) to.body = std::move(*from.mutable_body());
  to.race.assign(from.race().begin(), from.race().end());
  to.failover.assign(from.failover().begin(), from.failover().end());
  to.max_time = ms_of(from.max_time_ms());
  to.output = std::move(*from.mutable_output());
  to.meta = std::move(*from.mutable_meta());
  to.hash = from.task_hash();
  return to;
}

Report report_of(const wire::Report& from) {
  Report to;
  to.index = index_of(from.index());
  to.attempt = from.attempt();
  to.verdict = enum_of<Report::Verdict>(from.verdict(), 3);
  to.outcome = enum_of<Outcome>(from.outcome(), kOutcomeCount);
  if (from.retry_after_ms_plus_1() > 0) to.retry_after = ms_of(from.retry_after_ms_plus_1() - 1);
  return to;
}

// The readers by type: payload bytes in, message out.

template <class Payload>
Payload parse(const zmq::message_t& frame) {
  Payload payload;
  const auto size = static_cast<int>(frame.size() - kEnvelopeBytes);
  require(payload.ParseFromArray(frame.data<char>() + kEnvelopeBytes, size),
          DecodeError::bad_payload);
  return payload;
}

Message read_heartbeat(const zmq::message_t& frame) {
  const auto payload = parse<wire::Heartbeat>(frame);
  require(static_cast<std::size_t>(payload.reports_size()) <= kMaxReportsPerMessage,
          DecodeError::out_of_range);
  Heartbeat message;
  require(payload.worker() != 0, DecodeError::out_of_range);
  message.worker = static_cast<WorkerId>(payload.worker());
  require(payload.name().size() <= kMaxNameBytes, DecodeError::out_of_range);
  message.name = payload.name();
  message.seq = payload.seq();
  message.slots = payload.slots();
  message.backlog = payload.backlog();
  message.draining = payload.draining();
  message.cut_off = payload.cut_off();
  message.received = set_of(payload.received());
  message.first_report = payload.first_report();
  for (const auto& report : payload.reports()) message.reports.push_back(report_of(report));
  if (payload.has_queued()) message.queued = set_of(payload.queued());
  message.of_older_epoch = set_of(payload.of_older_epoch());
  return message;
}

Message read_tasks(const zmq::message_t& frame) {
  auto payload = parse<wire::Tasks>(frame);
  require(static_cast<std::size_t>(payload.tasks_size()) <= kMaxTasksPerMessage,
          DecodeError::out_of_range);
  Tasks message;
  message.seq = index_of(payload.seq());
  message.reports_seen = payload.reports_seen();
  if (payload.has_settings()) message.settings = settings_of(payload.settings());
  message.tasks.reserve(static_cast<std::size_t>(payload.tasks_size()));
  for (auto& task : *payload.mutable_tasks()) message.tasks.push_back(task_of(task));
  return message;
}

Message read_acks(const zmq::message_t& frame) {
  const auto payload = parse<wire::Acks>(frame);
  Acks message;
  message.boot = static_cast<BootId>(payload.boot());
  message.seq = payload.seq();
  message.watermark = limit_of(payload.watermark());
  message.admit_limit = limit_of(payload.admit_limit());
  message.byte_window = payload.byte_window();
  message.accepted = set_of(payload.accepted());
  message.refused = set_of(payload.refused());
  return message;
}

Message read_open(const zmq::message_t& frame) {
  const auto payload = parse<wire::Open>(frame);
  return Open{payload.nonce(), payload.in_hand(), payload.resume()};
}

Message read_state(const zmq::message_t& frame) {
  const auto payload = parse<wire::State>(frame);
  State message;
  message.boot = static_cast<BootId>(payload.boot());
  message.nonce = payload.nonce();
  message.seq = payload.seq();
  message.watermark = limit_of(payload.watermark());
  message.dispatch_limit = limit_of(payload.dispatch_limit());
  if (payload.total_plus_1() > 0) message.total = index_of(payload.total_plus_1() - 1);
  message.committed = set_of(payload.committed());
  message.log = payload.log();
  message.compare_to = limit_of(payload.compare_to());
  message.compared = limit_of(payload.compared());
  message.whole = payload.whole();
  message.begun_below = limit_of(payload.begun_below());
  message.begun_before = limit_of(payload.begun_before());
  return message;
}

Message read_bye(const zmq::message_t& frame) {
  const auto payload = parse<wire::Bye>(frame);
  Bye message{.worker = static_cast<WorkerId>(payload.worker())};
  if (const auto mark = payload.begun_below_plus_1()) message.begun_below = limit_of(mark - 1);
  return message;
}

Message read_refused(const zmq::message_t& frame) {
  const auto payload = parse<wire::Refused>(frame);
  return Refused{enum_of<Refused::Reason>(payload.reason(), 4), index_of(payload.index())};
}

Message read_recap(const zmq::message_t& frame) {
  const auto payload = parse<wire::Recap>(frame);
  require(static_cast<std::size_t>(payload.hashes_size()) <= kMaxHashesPerMessage,
          DecodeError::out_of_range);
  Recap message;
  message.first = index_of(payload.first());
  message.hashes.assign(payload.hashes().begin(), payload.hashes().end());
  return message;
}

Message read_done(const zmq::message_t& frame) {
  const auto payload = parse<wire::Done>(frame);
  require(static_cast<std::size_t>(payload.counts_size()) <= kOutcomeCount,
          DecodeError::out_of_range);
  Done message;
  for (int i = 0; i < payload.counts_size(); ++i) {
    message.counts[static_cast<std::size_t>(i)] = payload.counts(i);
  }
  return message;
}

std::string body_of(Frames& frames, std::size_t& at, std::uint64_t body_bytes) {
  require(body_bytes <= kMaxBodyBytes, DecodeError::bad_body);
  std::string body;
  // Not reserved for what is claimed but for what is there: a liar gets no memory.
  std::uint64_t there = 0;
  for (std::size_t i = at; i < frames.size() && there < body_bytes; ++i) there += frames[i].size();
  require(there >= body_bytes, DecodeError::bad_body);
  body.reserve(body_bytes);
  while (body.size() < body_bytes) {
    require(at < frames.size(), DecodeError::bad_body);
    zmq::message_t& frame = frames[at++];
    require(!frame.empty() && frame.size() <= body_bytes - body.size(), DecodeError::bad_body);
    body.append(frame.data<char>(), frame.size());
    frame.rebuild();  // frees a large body's frames as it is put together
  }
  return body;
}

Result result_of(wire::Result& from) {
  Result to;
  to.index = index_of(from.index());
  to.attempts = from.attempts();
  to.outcome = enum_of<Outcome>(from.outcome(), kOutcomeCount);
  to.response_code = from.response_code();
  to.exitcode = from.exitcode();
  to.errormsg = std::move(*from.mutable_errormsg());
  to.id = std::move(*from.mutable_id());
  to.url = std::move(*from.mutable_url());
  to.url_effective = std::move(*from.mutable_url_effective());
  to.method = std::move(*from.mutable_method());
  to.http_version = std::move(*from.mutable_http_version());
  to.content_type = std::move(*from.mutable_content_type());
  to.remote_ip = std::move(*from.mutable_remote_ip());
  to.num_redirects = from.num_redirects();
  to.size_download = from.size_download();
  to.time_namelookup = us_of(from.time_namelookup_us());
  to.time_connect = us_of(from.time_connect_us());
  to.time_appconnect = us_of(from.time_appconnect_us());
  to.time_starttransfer = us_of(from.time_starttransfer_us());
  to.time_total = us_of(from.time_total_us());
  to.fetched_at = std::chrono::milliseconds(from.fetched_at_ms() & 0xFFFF'FFFF'FFFFULL);
  to.worker = std::move(*from.mutable_worker());
  to.header_block = std::move(*from.mutable_header_block());
  to.meta = std::move(*from.mutable_meta());
  to.output = std::move(*from.mutable_output());
  to.task_hash = from.task_hash();
  return to;
}

Message read_results(Frames& frames) {
  Results message;
  message.sender = static_cast<WorkerId>(parse<wire::ResultsHeader>(frames[0]).sender());
  wire::Result fields;  // its strings' memory is reused from result to result
  for (std::size_t at = 1; at < frames.size();) {
    const zmq::message_t& frame = frames[at++];
    require(fields.ParseFromArray(frame.data(), static_cast<int>(frame.size())),
            DecodeError::bad_payload);
    Result& result = message.results.emplace_back(result_of(fields));
    result.body = body_of(frames, at, fields.body_bytes());
  }
  return message;
}

Message read_message(MessageType type, Frames& frames) {
  const zmq::message_t& frame = frames[0];
  require(type == MessageType::results || frames.size() == 1, DecodeError::too_many_frames);
  switch (type) {
    case MessageType::heartbeat:
      return read_heartbeat(frame);
    case MessageType::tasks:
      return read_tasks(frame);
    case MessageType::results:
      return read_results(frames);
    case MessageType::acks:
      return read_acks(frame);
    case MessageType::open:
      return read_open(frame);
    case MessageType::state:
      return read_state(frame);
    case MessageType::end:
      return End{index_of(parse<wire::End>(frame).total())};
    case MessageType::done:
      return read_done(frame);
    case MessageType::bye:
      return read_bye(frame);
    case MessageType::refused:
      return read_refused(frame);
    case MessageType::recap:
      return read_recap(frame);
    case MessageType::begin:
      return Begin{limit_of(parse<wire::Begin>(frame).below())};
  }
  throw Malformed{DecodeError::unknown_type};
}

}  // namespace

std::variant<Received, DecodeError> decode(Frames frames) {
  try {
    require(!frames.empty(), DecodeError::no_frame);
    require(frames.size() <= kMaxFrames, DecodeError::too_many_frames);
    require(frames[0].size() >= kEnvelopeBytes, DecodeError::short_envelope);
    const auto* bytes = frames[0].data<std::uint8_t>();
    require(bytes[0] == kProtocolMagic >> 8U && bytes[1] == (kProtocolMagic & 0xFFU),
            DecodeError::bad_magic);
    require(bytes[2] == kProtocolVersion, DecodeError::bad_version);
    Received received;
    std::memcpy(received.job.bytes.data(), bytes + 4, received.job.bytes.size());
    std::uint32_t epoch = 0;
    for (std::size_t i = 0; i < 4; ++i) epoch = epoch << 8U | bytes[20 + i];
    received.epoch = static_cast<Epoch>(epoch);
    received.message = read_message(static_cast<MessageType>(bytes[3]), frames);
    return received;
  } catch (const Malformed& malformed) {
    return malformed.error;
  }
}

std::optional<Result> decode_stored(std::string_view bytes) {
  std::uint32_t length = 0;
  if (bytes.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  wire::Result fields;
  if (bytes.size() < length || !fields.ParseFromArray(bytes.data(), static_cast<int>(length))) {
    return std::nullopt;
  }
  bytes.remove_prefix(length);
  if (bytes.size() != fields.body_bytes()) return std::nullopt;
  try {
    Result result = result_of(fields);
    result.body.assign(bytes);
    return result;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

std::string_view to_string(DecodeError error) {
  switch (error) {
    case DecodeError::no_frame:
      return "no frame";
    case DecodeError::too_many_frames:
      return "too many frames";
    case DecodeError::short_envelope:
      return "envelope is cut short";
    case DecodeError::bad_magic:
      return "not a fetchline message";
    case DecodeError::bad_version:
      return "another protocol version";
    case DecodeError::unknown_type:
      return "unknown message type";
    case DecodeError::bad_payload:
      return "payload is damaged";
    case DecodeError::out_of_range:
      return "a value is out of range";
    case DecodeError::bad_body:
      return "body frames do not add up";
    case DecodeError::not_allowed:
      return "not the sender's to say";
  }
  return "unknown error";
}

}  // namespace fetchline
