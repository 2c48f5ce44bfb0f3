// All fields of a value, to be compared. For values that have no operator== because nothing but
// tests would compare them.
#pragma once

#include <algorithm>
#include <tuple>
#include <vector>

#include "proto/messages.h"

namespace fetchline {

inline auto fields(const Report& r) {
  return std::tie(r.index, r.attempt, r.verdict, r.outcome, r.retry_after);
}
inline auto fields(const Task& t) {
  return std::tie(t.index, t.attempt, t.hash, t.may_retry, t.url, t.id, t.method, t.headers, t.body,
                  t.race, t.failover, t.max_time, t.output, t.meta);
}
inline auto fields(const Result& r) {
  return std::tie(r.index, r.task_hash, r.attempts, r.outcome, r.response_code, r.exitcode,
                  r.errormsg, r.id, r.url, r.url_effective, r.method, r.http_version,
                  r.content_type, r.remote_ip, r.num_redirects, r.size_download, r.time_namelookup,
                  r.time_connect, r.time_appconnect, r.time_starttransfer, r.time_total,
                  r.fetched_at, r.worker, r.header_block, r.meta, r.output, r.body, r.emit);
}

inline auto fields(const Acks& a) {
  return std::tie(a.boot, a.seq, a.watermark, a.admit_limit, a.byte_window, a.accepted, a.refused);
}
inline auto fields(const Open& o) { return std::tie(o.nonce, o.in_hand, o.resume, o.input_gone); }
inline auto fields(const State& s) {
  return std::tie(s.boot, s.nonce, s.seq, s.watermark, s.dispatch_limit, s.total, s.committed,
                  s.whole, s.log, s.compare_to, s.compared, s.begun_below, s.begun_before);
}
inline auto fields(const Begin& b) { return std::tie(b.below); }
inline auto fields(const End& e) { return std::tie(e.total); }
inline auto fields(const Done& d) { return std::tie(d.counts); }
inline auto fields(const Bye& b) { return std::tie(b.worker, b.begun_below); }
inline auto fields(const Refused& r) { return std::tie(r.reason, r.index); }
inline auto fields(const Recap& r) { return std::tie(r.first, r.hashes); }
inline auto fields(const Want& w) { return std::tie(w.from, w.credit_bytes); }
inline auto fields(const Lines& l) { return std::tie(l.boot, l.first, l.lines, l.total); }
inline auto fields(const Enough& /*e*/) { return std::tuple<>(); }

template <class T>
bool same(const T& a, const T& b) {
  return fields(a) == fields(b);
}
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

inline bool same(const Heartbeat& a, const Heartbeat& b) {
  const auto plain = [](const Heartbeat& h) {
    return std::tie(h.worker, h.name, h.seq, h.slots, h.backlog, h.draining, h.cut_off, h.received,
                    h.first_report, h.queued, h.of_older_epoch);
  };
  return plain(a) == plain(b) && same(a.reports, b.reports);
}
inline bool same(const Tasks& a, const Tasks& b) {
  const auto plain = [](const Tasks& t) { return std::tie(t.seq, t.reports_seen, t.settings); };
  return plain(a) == plain(b) && same(a.tasks, b.tasks);
}
inline bool same(const Results& a, const Results& b) {
  return a.sender == b.sender && same(a.results, b.results);
}

}  // namespace fetchline
