// The fields of results and tasks by their numbers in wire.proto, for FieldWriter and FieldReader.
// Those two are what there is most of: protobuf's own classes take a piece of memory for each text,
// twice a message. Every other message is generated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fetchline {

// What the fields of a result say of its body and of what it emits.
struct BesideFields {
  std::uint64_t body_bytes = 0;             // in frames of its own
  std::string body;                         // a short one, without any
  std::optional<std::uint64_t> emit_bytes;  // of Emitted::lines; none: there is no Result::emit
  std::string emit_error;
};

// Ascending, so that the bytes are those that protobuf writes.
template <class AnyResult, class AnyBeside, class Visit>
void for_each_result_field(AnyResult& result, AnyBeside& beside, Visit& visit) {
  visit(1, result.index);
  visit(2, result.attempts);
  visit(3, result.outcome);
  visit(4, result.response_code);
  visit(5, result.exitcode);
  visit(6, result.errormsg);
  visit(7, result.id);
  visit(8, result.url);
  visit(9, result.url_effective);
  visit(10, result.method);
  visit(11, result.http_version);
  visit(12, result.content_type);
  visit(13, result.remote_ip);
  visit(14, result.num_redirects);
  visit(15, result.size_download);
  visit(16, result.time_namelookup);
  visit(17, result.time_connect);
  visit(18, result.time_appconnect);
  visit(19, result.time_starttransfer);
  visit(20, result.time_total);
  visit(21, result.fetched_at);
  visit(22, result.worker);
  visit(23, result.header_block);
  visit(24, result.meta);
  visit(25, result.output);
  visit(26, beside.body_bytes);
  visit.fixed64(27, result.task_hash);
  visit(28, beside.emit_bytes);
  visit(29, beside.emit_error);
  visit(30, beside.body);
}

template <class AnyTask, class Visit>
void for_each_task_field(AnyTask& task, Visit& visit) {
  visit(1, task.index);
  visit(2, task.attempt);
  visit(3, task.may_retry);
  visit(4, task.url);
  visit(5, task.id);
  visit(6, task.method);
  visit(7, task.headers);
  visit(8, task.body);
  visit(9, task.race);
  visit(10, task.failover);
  visit(11, task.max_time);
  visit(12, task.output);
  visit(13, task.meta);
  visit.fixed64(14, task.hash);
}

}  // namespace fetchline
