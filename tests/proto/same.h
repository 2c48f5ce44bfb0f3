// Two messages are the same, field by field.
#pragma once

#include <gtest/gtest.h>

#include "proto/messages.h"

namespace fetchline {

inline void expect_same(const Report& a, const Report& b) {
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.attempt, b.attempt);
  EXPECT_EQ(a.verdict, b.verdict);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.retry_after, b.retry_after);
}

inline void expect_same(const Heartbeat& a, const Heartbeat& b) {
  EXPECT_EQ(a.worker, b.worker);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.slots, b.slots);
  EXPECT_EQ(a.backlog, b.backlog);
  EXPECT_EQ(a.draining, b.draining);
  EXPECT_EQ(a.cut_off, b.cut_off);
  EXPECT_EQ(a.received, b.received);
  EXPECT_EQ(a.queued, b.queued);
  EXPECT_EQ(a.running, b.running);
  EXPECT_EQ(a.of_older_epoch, b.of_older_epoch);
  EXPECT_EQ(a.first_report, b.first_report);
  ASSERT_EQ(a.reports.size(), b.reports.size());
  for (std::size_t i = 0; i < a.reports.size(); ++i) expect_same(a.reports[i], b.reports[i]);
}

inline void expect_same(const Task& a, const Task& b) {
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.attempt, b.attempt);
  EXPECT_EQ(a.may_retry, b.may_retry);
  EXPECT_EQ(a.url, b.url);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.headers, b.headers);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.race, b.race);
  EXPECT_EQ(a.failover, b.failover);
  EXPECT_EQ(a.max_time, b.max_time);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.meta, b.meta);
  EXPECT_EQ(a.hash, b.hash);
}

inline void expect_same(const Tasks& a, const Tasks& b) {
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.reports_seen, b.reports_seen);
  EXPECT_TRUE(a.settings == b.settings);
  ASSERT_EQ(a.tasks.size(), b.tasks.size());
  for (std::size_t i = 0; i < a.tasks.size(); ++i) expect_same(a.tasks[i], b.tasks[i]);
}

inline void expect_same(const Result& a, const Result& b) {
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.attempts, b.attempts);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.response_code, b.response_code);
  EXPECT_EQ(a.exitcode, b.exitcode);
  EXPECT_EQ(a.errormsg, b.errormsg);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.url, b.url);
  EXPECT_EQ(a.url_effective, b.url_effective);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.http_version, b.http_version);
  EXPECT_EQ(a.content_type, b.content_type);
  EXPECT_EQ(a.remote_ip, b.remote_ip);
  EXPECT_EQ(a.num_redirects, b.num_redirects);
  EXPECT_EQ(a.size_download, b.size_download);
  EXPECT_EQ(a.time_namelookup, b.time_namelookup);
  EXPECT_EQ(a.time_connect, b.time_connect);
  EXPECT_EQ(a.time_appconnect, b.time_appconnect);
  EXPECT_EQ(a.time_starttransfer, b.time_starttransfer);
  EXPECT_EQ(a.time_total, b.time_total);
  EXPECT_EQ(a.fetched_at, b.fetched_at);
  EXPECT_EQ(a.worker, b.worker);
  EXPECT_EQ(a.header_block, b.header_block);
  EXPECT_EQ(a.meta, b.meta);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.task_hash, b.task_hash);
  EXPECT_EQ(a.emit.has_value(), b.emit.has_value());
  EXPECT_TRUE(a.emit == b.emit);
  EXPECT_TRUE(a.body == b.body) << a.body.size() << " and " << b.body.size() << " bytes";
}

inline void expect_same(const Results& a, const Results& b) {
  EXPECT_EQ(a.sender, b.sender);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) expect_same(a.results[i], b.results[i]);
}

inline void expect_same(const Acks& a, const Acks& b) {
  EXPECT_EQ(a.boot, b.boot);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.watermark, b.watermark);
  EXPECT_EQ(a.admit_limit, b.admit_limit);
  EXPECT_EQ(a.byte_window, b.byte_window);
  EXPECT_EQ(a.accepted, b.accepted);
  EXPECT_EQ(a.refused, b.refused);
}

inline void expect_same(const State& a, const State& b) {
  EXPECT_EQ(a.boot, b.boot);
  EXPECT_EQ(a.nonce, b.nonce);
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.watermark, b.watermark);
  EXPECT_EQ(a.dispatch_limit, b.dispatch_limit);
  EXPECT_EQ(a.total, b.total);
  EXPECT_EQ(a.committed, b.committed);
  EXPECT_EQ(a.log, b.log);
  EXPECT_EQ(a.compare_to, b.compare_to);
  EXPECT_EQ(a.compared, b.compared);
  EXPECT_EQ(a.whole, b.whole);
  EXPECT_EQ(a.begun_below, b.begun_below);
  EXPECT_EQ(a.begun_before, b.begun_before);
}

inline void expect_same(const Open& a, const Open& b) {
  EXPECT_EQ(a.nonce, b.nonce);
  EXPECT_EQ(a.in_hand, b.in_hand);
  EXPECT_EQ(a.resume, b.resume);
  EXPECT_EQ(a.input_gone, b.input_gone);
}

inline void expect_same(const Recap& a, const Recap& b) {
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.hashes, b.hashes);
}

inline void expect_same(const Want& a, const Want& b) {
  EXPECT_EQ(a.from, b.from);
  EXPECT_EQ(a.credit_bytes, b.credit_bytes);
}

inline void expect_same(const Lines& a, const Lines& b) {
  EXPECT_EQ(a.boot, b.boot);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.lines, b.lines);
  EXPECT_EQ(a.total, b.total);
}

inline void expect_same(const Enough& /*a*/, const Enough& /*b*/) {}

inline void expect_same(const Begin& a, const Begin& b) { EXPECT_EQ(a.below, b.below); }
inline void expect_same(const End& a, const End& b) { EXPECT_EQ(a.total, b.total); }
inline void expect_same(const Done& a, const Done& b) { EXPECT_EQ(a.counts, b.counts); }
inline void expect_same(const Bye& a, const Bye& b) {
  EXPECT_EQ(a.worker, b.worker);
  EXPECT_EQ(a.begun_below, b.begun_below);
}
inline void expect_same(const Refused& a, const Refused& b) {
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.index, b.index);
}

}  // namespace fetchline
