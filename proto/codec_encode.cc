#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "proto/codec.h"
#include "proto/field_writer.h"
#include "proto/fields.h"
#include "wire.pb.h"

namespace fetchline {
namespace {

constexpr std::size_t kUsualFieldBytes = 1024;  // of a result, with its header lines
constexpr std::size_t kKeptBufferBytes = 64 * 1024;

void write_envelope(std::uint8_t* to, MessageType type, const JobId& job, Epoch epoch) {
  to[0] = kProtocolMagic >> 8U;
  to[1] = kProtocolMagic & 0xFFU;
  to[2] = kProtocolVersion;
  to[3] = static_cast<std::uint8_t>(type);
  std::memcpy(to + 4, job.bytes.data(), job.bytes.size());
  const auto number = static_cast<std::uint32_t>(epoch);
  for (std::size_t i = 0; i < 4; ++i)
    to[20 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

Frames one_frame(MessageType type, const JobId& job, Epoch epoch, std::size_t payload_bytes) {
  zmq::message_t frame(kEnvelopeBytes + payload_bytes);
  write_envelope(frame.data<std::uint8_t>(), type, job, epoch);
  Frames frames;
  frames.push_back(std::move(frame));
  return frames;
}

Frames one_frame(MessageType type, const JobId& job, Epoch epoch, std::string_view payload) {
  Frames frames = one_frame(type, job, epoch, payload.size());
  std::memcpy(frames[0].data<char>() + kEnvelopeBytes, payload.data(), payload.size());
  return frames;
}

Frames one_frame(MessageType type, const JobId& job, Epoch epoch,
                 const google::protobuf::MessageLite& payload) {
  Frames frames = one_frame(type, job, epoch, payload.ByteSizeLong());
  payload.SerializeWithCachedSizesToArray(frames[0].data<std::uint8_t>() + kEnvelopeBytes);
  return frames;
}

std::uint64_t ms_of(std::chrono::milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

void put(const IndexSet& set, wire::Ranges* to) {
  Index previous_end = 0;
  for (const IndexRange& range : set.ranges()) {
    to->add_gaps_and_lengths(range.first - previous_end);
    to->add_gaps_and_lengths(range.last - range.first);
    previous_end = range.last;
  }
}

void put(const JobSettings& from, wire::Settings* to) {
  to->set_method(from.method);
  for (const auto& header : from.headers) to->add_headers(header);
  if (from.body) to->set_body(*from.body);
  to->set_user_agent(from.user_agent);
  to->set_user_password(from.user_password);
  to->set_proxy(from.proxy);
  to->set_follow_location(from.follow_location);
  to->set_max_redirs(from.max_redirs);
  to->set_compressed(from.compressed);
  to->set_http_version(static_cast<std::uint32_t>(from.http_version));
  to->set_connect_timeout_ms(ms_of(from.connect_timeout));
  to->set_max_time_ms(ms_of(from.max_time));
  to->set_speed_limit(from.speed_limit);
  to->set_speed_time_s(static_cast<std::uint64_t>(from.speed_time.count()));
  to->set_max_filesize_bytes(from.max_filesize_bytes);
  for (const auto& range : from.accept) {
    auto* wire_range = to->add_accept();
    wire_range->set_first(range.first);
    wire_range->set_last(range.last);
  }
  to->set_retry_unsafe(from.retry_unsafe);
}

BesideFields beside_fields_of(const Result& result) {
  BesideFields beside;
  beside.body_bytes = result.body.size();
  if (result.emit) {
    beside.emit_bytes = result.emit->lines.size();
    beside.emit_error = result.emit->error;
  }
  return beside;
}

// A short body goes into the fields, and the result is without it afterwards.
void put_fields_and_short_body(Result& result, std::string& to) {
  BesideFields beside = beside_fields_of(result);
  if (result.body.size() <= kShortBodyBytes) {
    beside.body_bytes = 0;
    beside.body = std::move(result.body);
    result.body.clear();
  }
  to.reserve(kUsualFieldBytes + beside.body.size());
  FieldWriter writer(to);
  for_each_result_field(std::as_const(result), beside, writer);
}

// A body that several frames point into; the last one frees it, on whichever thread.
struct SharedBody {
  std::string bytes;
  std::atomic<std::size_t> frames;
};

void release_frame(void* /*data*/, void* hint) {
  auto* body = static_cast<SharedBody*>(hint);
  if (body->frames.fetch_sub(1, std::memory_order_acq_rel) == 1) delete body;
}

void append_bytes(std::string body, Frames& frames) {
  constexpr std::size_t kCopyBelowBytes = 512;  // cheaper than a holder and its release
  if (body.empty()) return;
  if (body.size() < kCopyBelowBytes) {
    frames.emplace_back(body.data(), body.size());
    return;
  }
  const std::size_t count = (body.size() + kMaxBodyFrameBytes - 1) / kMaxBodyFrameBytes;
  auto* shared = new SharedBody{std::move(body), count};
  for (std::size_t at = 0; at < shared->bytes.size(); at += kMaxBodyFrameBytes) {
    const std::size_t size = std::min(kMaxBodyFrameBytes, shared->bytes.size() - at);
    frames.emplace_back(shared->bytes.data() + at, size, release_frame, shared);
  }
}

}  // namespace

Frames encode(const JobId& job, Epoch epoch, const Heartbeat& message) {
  wire::Heartbeat payload;
  payload.set_worker(static_cast<std::uint64_t>(message.worker));
  payload.set_name(message.name);
  payload.set_seq(message.seq);
  payload.set_slots(message.slots);
  payload.set_backlog(message.backlog);
  payload.set_draining(message.draining);
  payload.set_cut_off(message.cut_off);
  put(message.received, payload.mutable_received());
  payload.set_first_report(message.first_report);
  for (const Report& report : message.reports) {
    auto* to = payload.add_reports();
    to->set_index(report.index);
    to->set_attempt(report.attempt);
    to->set_verdict(static_cast<std::uint32_t>(report.verdict));
    to->set_outcome(static_cast<std::uint32_t>(report.outcome));
    if (report.retry_after) to->set_retry_after_ms_plus_1(ms_of(*report.retry_after) + 1);
  }
  if (message.queued) put(*message.queued, payload.mutable_queued());
  payload.set_running(message.running);
  if (!message.of_older_epoch.empty()) {
    put(message.of_older_epoch, payload.mutable_of_older_epoch());
  }
  return one_frame(MessageType::heartbeat, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Tasks& message) {
  wire::Tasks payload;
  payload.set_seq(message.seq);
  payload.set_reports_seen(message.reports_seen);
  if (message.settings) put(*message.settings, payload.mutable_settings());
  std::string bytes = payload.SerializeAsString();
  FieldWriter writer(bytes);
  std::string fields;
  for (const Task& task : message.tasks) {
    fields.clear();
    FieldWriter task_writer(fields);
    for_each_task_field(task, task_writer);
    writer.bytes(wire::Tasks::kTasksFieldNumber, fields);
  }
  return one_frame(MessageType::tasks, job, epoch, bytes);
}

Frames encode(const JobId& job, Epoch epoch, const Acks& message) {
  wire::Acks payload;
  payload.set_boot(static_cast<std::uint64_t>(message.boot));
  payload.set_seq(message.seq);
  payload.set_watermark(message.watermark);
  payload.set_admit_limit(message.admit_limit);
  payload.set_byte_window(message.byte_window);
  put(message.accepted, payload.mutable_accepted());
  put(message.refused, payload.mutable_refused());
  return one_frame(MessageType::acks, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Open& message) {
  wire::Open payload;
  payload.set_nonce(message.nonce);
  payload.set_in_hand(message.in_hand);
  payload.set_resume(message.resume);
  payload.set_input_gone(message.input_gone);
  return one_frame(MessageType::open, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const State& message) {
  wire::State payload;
  payload.set_boot(static_cast<std::uint64_t>(message.boot));
  payload.set_nonce(message.nonce);
  payload.set_seq(message.seq);
  payload.set_watermark(message.watermark);
  payload.set_dispatch_limit(message.dispatch_limit);
  if (message.total) payload.set_total_plus_1(*message.total + 1);
  put(message.committed, payload.mutable_committed());
  payload.set_log(message.log);
  payload.set_compare_to(message.compare_to);
  payload.set_compared(message.compared);
  payload.set_whole(message.whole);
  payload.set_begun_below(message.begun_below);
  payload.set_begun_before(message.begun_before);
  return one_frame(MessageType::state, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const End& message) {
  wire::End payload;
  payload.set_total(message.total);
  return one_frame(MessageType::end, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Done& message) {
  wire::Done payload;
  for (const std::uint64_t count : message.counts) payload.add_counts(count);
  return one_frame(MessageType::done, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Bye& message) {
  wire::Bye payload;
  payload.set_worker(static_cast<std::uint64_t>(message.worker));
  if (message.begun_below) payload.set_begun_below_plus_1(*message.begun_below + 1);
  return one_frame(MessageType::bye, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Refused& message) {
  wire::Refused payload;
  payload.set_reason(static_cast<std::uint32_t>(message.reason));
  payload.set_index(message.index);
  return one_frame(MessageType::refused, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Recap& message) {
  wire::Recap payload;
  payload.set_first(message.first);
  payload.mutable_hashes()->Assign(message.hashes.begin(), message.hashes.end());
  return one_frame(MessageType::recap, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Want& message) {
  wire::Want payload;
  payload.set_from(message.from);
  payload.set_credit_bytes(message.credit_bytes);
  return one_frame(MessageType::want, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Lines& message) {
  wire::Lines payload;
  payload.set_boot(static_cast<std::uint64_t>(message.boot));
  payload.set_first(message.first);
  for (const std::string& line : message.lines) payload.add_lines(line);
  if (message.total) payload.set_total_plus_1(*message.total + 1);
  return one_frame(MessageType::lines, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Enough& /*message*/) {
  return one_frame(MessageType::enough, job, epoch, wire::Enough());
}

Frames encode(const JobId& job, Epoch epoch, const Begin& message) {
  wire::Begin payload;
  payload.set_below(message.below);
  return one_frame(MessageType::begin, job, epoch, payload);
}

EncodedResult encode_result(Result result) {
  EncodedResult encoded;
  encoded.index = result.index;
  static thread_local std::string fields;  // for its memory
  fields.clear();
  put_fields_and_short_body(result, fields);
  encoded.frames.emplace_back(fields.data(), fields.size());
  if (fields.capacity() > kKeptBufferBytes) fields = std::string();
  append_bytes(std::move(result.body), encoded.frames);
  if (result.emit) append_bytes(std::move(result.emit->lines), encoded.frames);
  for (const zmq::message_t& part : encoded.frames) encoded.bytes += part.size();
  return encoded;
}

void append_stored(std::string& to, const Result& result) {
  const std::size_t at = to.size();
  std::uint32_t length = 0;
  to.append(sizeof length, '\0');
  FieldWriter writer(to);
  const BesideFields beside = beside_fields_of(result);
  for_each_result_field(result, beside, writer);
  length = static_cast<std::uint32_t>(to.size() - at - sizeof length);
  std::memcpy(to.data() + at, &length, sizeof length);
  to += result.body;
  if (result.emit) to += result.emit->lines;
}

Frames encode_results_header(const JobId& job, Epoch epoch, WorkerId sender) {
  wire::ResultsHeader payload;
  payload.set_sender(static_cast<std::uint64_t>(sender));
  return one_frame(MessageType::results, job, epoch, payload);
}

void append_result(Frames& message, EncodedResult& result) {
  for (zmq::message_t& frame : result.frames) message.emplace_back().copy(frame);
}

}  // namespace fetchline
