#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "proto/codec.h"
#include "wire.pb.h"

namespace fetchline {
namespace {

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

template <class Payload>
Frames one_frame(MessageType type, const JobId& job, Epoch epoch, const Payload& payload) {
  const std::size_t size = payload.ByteSizeLong();
  zmq::message_t frame(kEnvelopeBytes + size);
  auto* bytes = frame.data<std::uint8_t>();
  write_envelope(bytes, type, job, epoch);
  payload.SerializeWithCachedSizesToArray(bytes + kEnvelopeBytes);
  Frames frames;
  frames.push_back(std::move(frame));
  return frames;
}

std::uint64_t ms_of(std::chrono::milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}
std::uint64_t us_of(std::chrono::microseconds duration) {
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

void put(const Task& from, wire::Task* to) {
  to->set_index(from.index);
  to->set_attempt(from.attempt);
  to->set_may_retry(from.may_retry);
  to->set_url(from.url);
  to->set_id(from.id);
  to->set_method(from.method);
  for (const auto& header : from.headers) to->add_headers(header);
  if (from.body) to->set_body(*from.body);
  for (const auto& url : from.race) to->add_race(url);
  for (const auto& url : from.failover) to->add_failover(url);
  to->set_max_time_ms(ms_of(from.max_time));
  to->set_output(from.output);
  to->set_meta(from.meta);
  to->set_task_hash(from.hash);
}

// Moves the texts out of a `from` that is not const; the body and what is emitted stay.
template <class AnyResult>
void put_result(AnyResult& from, wire::Result* to) {
  to->set_index(from.index);
  to->set_attempts(from.attempts);
  to->set_outcome(static_cast<std::uint32_t>(from.outcome));
  to->set_response_code(from.response_code);
  to->set_exitcode(from.exitcode);
  to->set_errormsg(std::move(from.errormsg));
  to->set_id(std::move(from.id));
  to->set_url(std::move(from.url));
  to->set_url_effective(std::move(from.url_effective));
  to->set_method(std::move(from.method));
  to->set_http_version(std::move(from.http_version));
  to->set_content_type(std::move(from.content_type));
  to->set_remote_ip(std::move(from.remote_ip));
  to->set_num_redirects(from.num_redirects);
  to->set_size_download(from.size_download);
  to->set_time_namelookup_us(us_of(from.time_namelookup));
  to->set_time_connect_us(us_of(from.time_connect));
  to->set_time_appconnect_us(us_of(from.time_appconnect));
  to->set_time_starttransfer_us(us_of(from.time_starttransfer));
  to->set_time_total_us(us_of(from.time_total));
  to->set_fetched_at_ms(ms_of(from.fetched_at));
  to->set_worker(std::move(from.worker));
  to->set_header_block(std::move(from.header_block));
  to->set_meta(std::move(from.meta));
  to->set_output(std::move(from.output));
  to->set_body_bytes(from.body.size());
  to->set_task_hash(from.task_hash);
  if (!from.emit) return;
  to->set_emit_bytes(from.emit->lines.size());
  to->set_emit_error(std::move(from.emit->error));
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
  return one_frame(MessageType::heartbeat, job, epoch, payload);
}

Frames encode(const JobId& job, Epoch epoch, const Tasks& message) {
  wire::Tasks payload;
  payload.set_seq(message.seq);
  payload.set_reports_seen(message.reports_seen);
  if (message.settings) put(*message.settings, payload.mutable_settings());
  for (const Task& task : message.tasks) put(task, payload.add_tasks());
  return one_frame(MessageType::tasks, job, epoch, payload);
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

EncodedResult encode_result(Result result) {
  EncodedResult encoded;
  encoded.index = result.index;
  wire::Result fields;
  put_result(result, &fields);
  zmq::message_t frame(fields.ByteSizeLong());
  fields.SerializeWithCachedSizesToArray(frame.data<std::uint8_t>());
  encoded.frames.push_back(std::move(frame));
  append_bytes(std::move(result.body), encoded.frames);
  if (result.emit) append_bytes(std::move(result.emit->lines), encoded.frames);
  for (const zmq::message_t& part : encoded.frames) encoded.bytes += part.size();
  return encoded;
}

void append_stored(std::string& to, const Result& result) {
  wire::Result fields;
  put_result(result, &fields);
  const auto length = static_cast<std::uint32_t>(fields.ByteSizeLong());
  to.append(reinterpret_cast<const char*>(&length), sizeof length);
  fields.AppendToString(&to);
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
