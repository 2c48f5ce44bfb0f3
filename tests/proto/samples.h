// One message of each type with a value in every field that version 1 of the protocol has, and no
// two values alike. The golden frames hold exactly these: a value here never changes, and a field
// that is added later stays at its default here and gets a round trip of its own.
#pragma once

#include "proto/messages.h"
#include "tests/proto/frames.h"

namespace fetchline::samples {

inline constexpr Epoch kEpoch{0x01020304};
inline constexpr WorkerId kWorker{0x1122334455667788};
inline constexpr BootId kBoot{0x8877665544332211};
inline constexpr std::uint64_t kNonce = 0xDEADBEEF01234567;

inline JobId job() {
  JobId job;
  for (std::size_t i = 0; i < job.bytes.size(); ++i) {
    job.bytes[i] = static_cast<std::uint8_t>(0xA0 + i);
  }
  return job;
}

inline Heartbeat heartbeat() {
  using std::chrono::milliseconds;
  Heartbeat message;
  message.worker = kWorker;
  message.name = "host-a:4711";
  message.seq = 17;
  message.slots = 256;
  message.backlog = 80;
  message.draining = true;
  message.received = set_of({{1, 5}, {7, 7}, {100, 65'000}});
  message.first_report = 33;
  message.reports = {
      {7, 1, Report::Verdict::delivered, Outcome::ok, {}},
      {8, 2, Report::Verdict::retry, Outcome::timeout, milliseconds(0)},
      {9, 3, Report::Verdict::retry, Outcome::http_error, milliseconds(120'000)},
      {kMaxIndex - 1, 1, Report::Verdict::returned, Outcome::cancelled, {}},
  };
  return message;
}

inline JobSettings settings() {
  JobSettings settings;
  settings.method = "PUT";
  settings.headers = {"Accept: */*", "X-Empty;", "Host:"};
  settings.body = std::string("job\0body", 8);
  settings.user_agent = "sample/1";
  settings.user_password = "user:pass\xC3\xA9";
  settings.proxy = "http://proxy.example:3128";
  settings.follow_location = false;
  settings.max_redirs = 3;
  settings.compressed = false;
  settings.http_version = JobSettings::HttpVersion::http2;
  settings.connect_timeout = std::chrono::milliseconds(1'500);
  settings.max_time = std::chrono::milliseconds(7'001);
  settings.speed_limit = 1'000;
  settings.speed_time = std::chrono::seconds(11);
  settings.max_filesize_bytes = 12'345'678;
  settings.accept = {{200, 204}, {404, 404}};
  settings.retry_unsafe = true;
  return settings;
}

inline Task task() {
  Task task;
  task.index = 42;
  task.attempt = 2;
  task.may_retry = true;
  task.url = "https://a.example/?q=\xFF";
  task.id = "forty-two";
  task.method = "POST";
  task.headers = {"A: b", "C: d"};
  task.body = "";  // present and empty, unlike absent
  task.race = {"https://b.example/", "https://c.example/"};
  task.failover = {"https://d.example/"};
  task.max_time = std::chrono::milliseconds(2'500);
  task.output = "name.html";
  task.meta = R"({"k":[1,null]})";
  return task;
}

inline Tasks tasks() {
  Task bare;
  bare.index = 43;
  bare.url = "http://e.example/";
  Tasks message;
  message.seq = 9;
  message.reports_seen = 36;
  message.settings = settings();
  message.tasks = {task(), bare};
  return message;
}

inline Result result() {
  using std::chrono::microseconds;
  Result result;
  result.index = 42;
  result.attempts = 3;
  result.outcome = Outcome::http_error;
  result.response_code = 503;
  result.exitcode = 22;
  result.errormsg = "The requested URL returned error: 503";
  result.id = "forty-two";
  result.url = "https://a.example/";
  result.url_effective = "https://b.example/";
  result.method = "POST";
  result.http_version = "1.1";
  result.content_type = "text/html; charset=\xE4";
  result.remote_ip = "2001:db8::1";
  result.num_redirects = 2;
  result.size_download = 5'000'000'000;
  result.time_namelookup = microseconds(101);
  result.time_connect = microseconds(202);
  result.time_appconnect = microseconds(303);
  result.time_starttransfer = microseconds(404);
  result.time_total = microseconds(505);
  result.fetched_at = std::chrono::milliseconds(1'767'225'600'123);
  result.worker = "host-a:4711";
  result.header_block = "A: 1\r\nB: 2\r\n";
  result.meta = R"({"k":[1,null]})";
  result.output = "name.html";
  result.body = std::string("<p>\0\xFF</p>", 9);
  return result;
}

inline Result bare_result() {  // no body, so no frame of its own follows
  Result result;
  result.index = 44;
  result.outcome = Outcome::invalid_task;
  return result;
}

inline Frames results_frames() {
  Frames frames = encode_results_header(job(), kEpoch, kWorker);
  for (Result each : {result(), bare_result()}) {
    EncodedResult encoded = encode_result(std::move(each));
    append_result(frames, encoded);
  }
  return frames;
}

inline Acks acks() {
  Acks message;
  message.boot = kBoot;
  message.seq = 1'234'567;
  message.watermark = 1'000;
  message.admit_limit = 1'001;
  message.byte_window = std::uint64_t{1} << 26;
  message.accepted = set_of({{0, 9}, {11, 11}});
  message.refused = set_of({{20, 29}});
  return message;
}

inline Open open() { return {kNonce}; }

inline State state() {
  State message;
  message.boot = kBoot;
  message.nonce = kNonce;
  message.seq = 7'654'321;
  message.watermark = 500;
  message.dispatch_limit = 100'500;
  message.total = 0;  // known and zero, unlike not known
  message.committed = set_of({{502, 502}, {504, 600}});
  return message;
}

inline End end() { return {1'000'000}; }

inline Done done() {
  Done message;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) message.counts[i] = 1'000 + i;
  return message;
}

inline Bye bye() { return {kWorker}; }

}  // namespace fetchline::samples
