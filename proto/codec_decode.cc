#include <chrono>
#include <cstring>
#include <utility>

#include "proto/codec.h"
#include "proto/field_reader.h"
#include "proto/fields.h"
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

JobSettings settings_of(std::string_view bytes) {
  wire::Settings from;
  require(from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
          DecodeError::bad_payload);
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

void require_whole(const FieldReader& reader, bool whole) {
  require(whole, DecodeError::bad_payload);
  require(!reader.out_of_range(), DecodeError::out_of_range);
}

Task task_of(std::string_view bytes) {
  Task task;
  task.attempt = 0;
  FieldReader reader(bytes);
  require_whole(reader, reader.read([&](auto& pass) { for_each_task_field(task, pass); }));
  (void)index_of(task.index);
  require(task.max_time <= kMaxDuration, DecodeError::out_of_range);
  return task;
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
  message.running = payload.running();
  message.of_older_epoch = set_of(payload.of_older_epoch());
  return message;
}

Message read_tasks(const zmq::message_t& frame) {
  Tasks message;
  FieldReader reader(frame.to_string_view().substr(kEnvelopeBytes));
  const auto pass = [&](FieldReader& visit) {
    visit(wire::Tasks::kSeqFieldNumber, message.seq);
    visit(wire::Tasks::kReportsSeenFieldNumber, message.reports_seen);
    visit.nested(wire::Tasks::kSettingsFieldNumber,
                 [&](std::string_view bytes) { message.settings = settings_of(bytes); });
    visit.nested(wire::Tasks::kTasksFieldNumber, [&](std::string_view bytes) {
      require(message.tasks.size() < kMaxTasksPerMessage, DecodeError::out_of_range);
      message.tasks.push_back(task_of(bytes));
    });
  };
  require_whole(reader, reader.read(pass));
  (void)index_of(message.seq);
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
  return Open{payload.nonce(), payload.in_hand(), payload.resume(), payload.input_gone()};
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

Message read_lines(const zmq::message_t& frame) {
  auto payload = parse<wire::Lines>(frame);
  const auto count = static_cast<std::size_t>(payload.lines_size());
  require(count <= kMaxLinesPerMessage, DecodeError::out_of_range);
  Lines message;
  message.boot = static_cast<BootId>(payload.boot());
  message.first = index_of(payload.first());
  if (payload.total_plus_1() > 0) message.total = index_of(payload.total_plus_1() - 1);
  const Index most = message.total.value_or(kMaxIndex);
  require(message.first <= most && count <= most - message.first, DecodeError::out_of_range);
  message.lines.reserve(count);
  for (std::string& line : *payload.mutable_lines()) {
    const bool is_one = line.find('\n') == std::string::npos;
    require(is_one && line.size() <= kMaxLineBytesOnWire, DecodeError::out_of_range);
    message.lines.push_back(std::move(line));
  }
  return message;
}

Message read_want(const zmq::message_t& frame) {
  const auto payload = parse<wire::Want>(frame);
  return Want{index_of(payload.from()), payload.credit_bytes()};
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

std::string body_of(Frames& frames, std::size_t& at, std::uint64_t body_bytes, std::size_t most) {
  require(body_bytes <= most, DecodeError::bad_body);
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

// A body that is not short and what goes on are in the frames that follow.
Result result_of(std::string_view bytes, BesideFields& beside) {
  Result result;
  result.outcome = Outcome::ok;
  FieldReader reader(bytes);
  const auto pass = [&](auto& visit) { for_each_result_field(result, beside, visit); };
  require_whole(reader, reader.read(pass));
  (void)index_of(result.index);
  require(beside.body.empty() || beside.body_bytes == 0, DecodeError::bad_body);
  result.body = std::move(beside.body);
  if (beside.emit_bytes) result.emit = {.lines = {}, .error = std::move(beside.emit_error)};
  return result;
}

Message read_results(Frames& frames) {
  Results message;
  message.sender = static_cast<WorkerId>(parse<wire::ResultsHeader>(frames[0]).sender());
  for (std::size_t at = 1; at < frames.size();) {
    const zmq::message_t frame = std::move(frames[at++]);
    BesideFields beside;
    Result& result = message.results.emplace_back(result_of(frame.to_string_view(), beside));
    if (beside.body_bytes > 0) {
      result.body = body_of(frames, at, beside.body_bytes, kMaxBodyBytes);
    }
    if (result.emit) result.emit->lines = body_of(frames, at, *beside.emit_bytes, kMaxEmitBytes);
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
    case MessageType::want:
      return read_want(frame);
    case MessageType::lines:
      return read_lines(frame);
    case MessageType::enough:
      (void)parse<wire::Enough>(frame);
      return Enough{};
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
  if (bytes.size() < length) return std::nullopt;
  try {
    BesideFields beside;
    Result result = result_of(bytes.substr(0, length), beside);
    bytes.remove_prefix(length);
    const std::uint64_t body = beside.body_bytes, emit = beside.emit_bytes.value_or(0);
    if (body > bytes.size() || emit != bytes.size() - body) return std::nullopt;
    if (body > 0) result.body.assign(bytes.substr(0, body));
    if (result.emit) result.emit->lines.assign(bytes.substr(body));
    return result;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

}  // namespace fetchline
