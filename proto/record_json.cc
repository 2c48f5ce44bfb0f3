#include "proto/record_json.h"

#include <utility>

#include "proto/header_lines.h"
#include "proto/json_text.h"

namespace fetchline {
namespace {

// Keys come with the punctuation before them: one append instead of three.
void append_text(std::string& out, std::string_view key, std::string_view text) {
  out += key;
  append_json_text(out, text);
}

template <typename Number>
void append_number(std::string& out, std::string_view key, Number number) {
  out += key;
  append_json_number(out, number);
}

void append_seconds(std::string& out, std::string_view key, std::chrono::microseconds time) {
  out += key;
  append_json_seconds(out, time);
}

void append_task(std::string& out, const Result& result) {
  append_number(out, R"({"index":)", result.index);
  if (!result.id.empty()) append_text(out, R"(,"id":)", result.id);
  append_text(out, R"(,"url":)", result.url);
}

void append_response(std::string& out, const Result& result) {
  append_text(out, R"(,"outcome":)", to_string(result.outcome));
  append_number(out, R"(,"response_code":)", result.response_code);
  append_number(out, R"(,"exitcode":)", result.exitcode);
  append_text(out, R"(,"errormsg":)", result.errormsg);
  append_text(out, R"(,"url_effective":)",
              result.url_effective.empty() ? result.url : result.url_effective);
  append_text(out, R"(,"method":)", result.method);
  append_text(out, R"(,"http_version":)", result.http_version);
  append_text(out, R"(,"content_type":)", result.content_type);
  append_text(out, R"(,"remote_ip":)", result.remote_ip);
  append_number(out, R"(,"num_redirects":)", std::uint64_t{result.num_redirects});
  append_number(out, R"(,"attempts":)", std::uint64_t{result.attempts});
  append_number(out, R"(,"size_download":)", result.size_download);
}

void append_times(std::string& out, const Result& result) {
  append_seconds(out, R"(,"time_namelookup":)", result.time_namelookup);
  append_seconds(out, R"(,"time_connect":)", result.time_connect);
  append_seconds(out, R"(,"time_appconnect":)", result.time_appconnect);
  append_seconds(out, R"(,"time_starttransfer":)", result.time_starttransfer);
  append_seconds(out, R"(,"time_total":)", result.time_total);
  out += R"(,"fetched_at":)";
  append_json_utc(out, result.fetched_at);
}

// ASCII, in which terminals obey nothing but what JSON escapes anyway.
bool is_plain_ascii(std::string_view text) {
  bool plain = true;
  for (const char c : text) plain &= static_cast<unsigned char>(c) < 0x7F;
  return plain;
}

// `plain` says that the whole block is. If it is not, each text is judged by itself: one header in
// Latin-1 must not garble the others.
void append_header_text(std::string& out, std::string_view text, bool plain) {
  plain ? append_json_utf8(out, text) : append_json_text(out, text);
}

void append_header(std::string& out, const HeaderField& field, bool plain) {
  out += '[';
  append_header_text(out, field.name, plain);
  out += ',';
  if (field.value.find('\n') == std::string_view::npos) {
    append_header_text(out, field.value, plain);
  } else {
    append_header_text(out, unfolded(field.value), plain);
  }
  out += ']';
}

void append_headers(std::string& out, std::string_view block) {
  out += R"(,"headers":[)";
  const bool plain = is_plain_ascii(block);
  bool first = true;
  while (const auto field = take_header_field(block)) {
    if (!first) out += ',';
    append_header(out, *field, plain);
    first = false;
  }
  out += ']';
}

std::string_view body_key(bool utf8) { return utf8 ? R"(,"body":)" : R"(,"body_base64":)"; }

void append_body(std::string& out, std::string_view body) {
  const bool utf8 = is_utf8(body);
  out += body_key(utf8);
  utf8 ? append_json_utf8(out, body) : append_json_base64(out, body);
}

void append_emit(std::string& out, const Emitted& emit) {
  out += R"(,"emit":[)";
  std::string_view lines = emit.lines;
  const char* separator = "";
  while (const auto line = take_line(lines)) {
    append_text(out, separator, *line);
    separator = ",";
  }
  out += ']';
  if (!emit.error.empty()) append_text(out, R"(,"emit_error":)", emit.error);
}

constexpr std::string_view kEnd = "}\n";

void append_all_but_body(std::string& out, const Result& result, RecordOptions options,
                         std::string_view file) {
  append_task(out, result);
  append_response(out, result);
  append_times(out, result);
  append_text(out, R"(,"worker":)", result.worker);
  if (options.headers) append_headers(out, result.header_block);
  if (!result.meta.empty()) out.append(R"(,"meta":)").append(result.meta);
  if (!file.empty()) append_text(out, R"(,"file":)", file);
  if (result.emit) append_emit(out, *result.emit);
}

}  // namespace

void append_record(std::string& out, const Result& result, RecordOptions options,
                   std::string_view file) {
  append_all_but_body(out, result, options, file);
  if (options.body) append_body(out, result.body);
  out += kEnd;
}

RecordPieces::RecordPieces(const Result& result)
    : result_(&result), is_utf8_(is_utf8(result.body)), body_(result.body) {}

bool RecordPieces::append_next(std::string& out) {
  if (result_ == nullptr) return false;
  if (!std::exchange(begun_, true)) {
    append_all_but_body(out, *result_, {}, {});
    out.append(body_key(is_utf8_)).append("\"");
  }
  const std::string_view piece = body_.substr(0, kBodyBytes);
  is_utf8_ ? append_json_utf8_part(out, piece) : append_json_base64_part(out, piece);
  body_.remove_prefix(piece.size());
  if (body_.empty()) {
    out.append("\"").append(kEnd);
    result_ = nullptr;
  }
  return true;
}

}  // namespace fetchline
