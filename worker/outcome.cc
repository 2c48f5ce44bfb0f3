#include "worker/outcome.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "proto/ascii.h"

namespace fetchline {
namespace {

Outcome of_status(long status, const std::vector<JobSettings::CodeRange>& accept) {
  const auto contains = [status](const JobSettings::CodeRange& range) {
    return range.first <= status && status <= range.last;
  };
  const bool accepted = accept.empty() ? contains(JobSettings::CodeRange{})
                                       : std::any_of(accept.begin(), accept.end(), contains);
  return accepted ? Outcome::ok : Outcome::http_error;
}

// libcurl uses these two codes for our URL as well as for what an origin made of it.
Outcome of_refused_url(const TransferEnd& end) {
  if (!end.request_sent) return Outcome::invalid_task;
  // A redirect to another scheme is refused by policy; one to rubbish is the origin's mistake.
  if (end.response_code != 0) {
    return end.code == CURLE_UNSUPPORTED_PROTOCOL ? Outcome::blocked : Outcome::http_error;
  }
  return Outcome::reset;  // "HTTP/0.9": the peer does not speak HTTP
}

Outcome of_code(const TransferEnd& end) {
  switch (end.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Outcome::dns_error;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
      return Outcome::connect_error;
    case CURLE_OPERATION_TIMEDOUT:
      return Outcome::timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
      return Outcome::tls_error;
    case CURLE_FILESIZE_EXCEEDED:
      return Outcome::too_large;
    case CURLE_TOO_MANY_REDIRECTS:
      return Outcome::too_many_redirects;
    case CURLE_BAD_CONTENT_ENCODING:
      return Outcome::unsupported_encoding;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return of_refused_url(end);
    case CURLE_BAD_FUNCTION_ARGUMENT:  // an option was refused, or an answer that makes no sense
      return end.request_sent ? Outcome::reset : Outcome::invalid_task;
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
      return Outcome::invalid_task;
    default:  // everything left is a conversation that broke off
      return Outcome::reset;
  }
}

}  // namespace

Outcome outcome_of(const TransferEnd& end, const std::vector<JobSettings::CodeRange>& accept) {
  switch (end.stopped) {
    case StopReason::body_cap:
    case StopReason::bomb:
      return Outcome::too_large;
    case StopReason::blocked:
      return Outcome::blocked;
    case StopReason::cancelled:
      return Outcome::cancelled;
    case StopReason::header_lines:
    case StopReason::header_bytes:
    case StopReason::interim_cap:
    case StopReason::unclear_length:
    case StopReason::cut_short:
    case StopReason::no_goodbye:
    case StopReason::would_repeat:
      return Outcome::reset;
    case StopReason::unknown_coding:
    case StopReason::broken_coding:
      return Outcome::unsupported_encoding;
    case StopReason::none:
      break;
  }
  return end.code == CURLE_OK ? of_status(end.response_code, accept) : of_code(end);
}

CURLcode exit_code_of(const TransferEnd& end) {
  switch (end.stopped) {
    case StopReason::body_cap:
    case StopReason::bomb:
      return CURLE_FILESIZE_EXCEEDED;
    case StopReason::blocked:
      return CURLE_COULDNT_CONNECT;
    case StopReason::cancelled:
      return CURLE_ABORTED_BY_CALLBACK;
    case StopReason::header_lines:
    case StopReason::header_bytes:
    case StopReason::interim_cap:
    case StopReason::no_goodbye:
      return CURLE_RECV_ERROR;
    case StopReason::unclear_length:
      return CURLE_WEIRD_SERVER_REPLY;
    case StopReason::unknown_coding:
    case StopReason::broken_coding:
      return CURLE_BAD_CONTENT_ENCODING;
    case StopReason::cut_short:
      return CURLE_PARTIAL_FILE;
    case StopReason::would_repeat:
      return CURLE_GOT_NOTHING;
    case StopReason::none:
      break;
  }
  return end.code;
}

std::string_view message_of(StopReason stopped) {
  switch (stopped) {
    case StopReason::body_cap:
      return "Maximum file size exceeded";
    case StopReason::bomb:
      return "The body decodes to more than 1 MiB and more than 100 times its size";
    case StopReason::header_lines:
      return "More than 256 header lines in one response";
    case StopReason::header_bytes:
      return "More than 64 KiB of headers in one response";
    case StopReason::interim_cap:
      return "More than 8 interim (1xx) responses";
    case StopReason::unclear_length:
      return "Content-Length is not a number, or not the same everywhere";
    case StopReason::unknown_coding:
      return "The body has a coding other than one of deflate, gzip, br, zstd";
    case StopReason::broken_coding:
      return "The body is not coded as Content-Encoding says";
    case StopReason::cut_short:
      return "Headers or coded body break off";
    case StopReason::no_goodbye:
      return "Body without length breaks off: no TLS close_notify at its end";
    case StopReason::would_repeat:
      return "Connection lost before an answer; the request may have arrived and is not repeated";
    case StopReason::blocked:
      return "Blocked by --allow-net";
    case StopReason::cancelled:
      return "Cancelled";
    case StopReason::none:
      break;
  }
  return {};
}

bool is_transient(Outcome outcome, long response_code) {
  switch (outcome) {
    case Outcome::timeout:
    case Outcome::dns_error:
    case Outcome::connect_error:
    case Outcome::reset:
      return true;
    case Outcome::http_error: {
      constexpr std::array kPassing = {408L, 429L, 500L, 502L, 503L, 504L};
      return std::find(kPassing.begin(), kPassing.end(), response_code) != kPassing.end();
    }
    default:
      return false;
  }
}

bool may_repeat(std::string_view method, bool request_sent, bool retry_unsafe) {
  return !request_sent || retry_unsafe || is_idempotent(method);
}

namespace {

bool all_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

std::chrono::milliseconds parse_delta(std::string_view digits) {
  constexpr std::int64_t kMost = std::chrono::seconds(kMaxRetryAfter).count();
  std::int64_t seconds = kMost;  // stays so when the number does not fit
  std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return std::chrono::seconds(std::min(seconds, kMost));
}

// curl_getdate also reads numbers and bare words as dates; an HTTP-date starts with a weekday
// and has a time of day in it.
bool looks_like_http_date(std::string_view text) {
  return text.size() >= 24 && text.find(':') != std::string_view::npos &&
         (text.front() < '0' || text.front() > '9');
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now) {
  using std::chrono::milliseconds;
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  if (all_digits(value)) return parse_delta(value);
  if (!looks_like_http_date(value)) return std::nullopt;
  const std::time_t at = curl_getdate(std::string(value).c_str(), nullptr);
  if (at == -1) return std::nullopt;
  const auto wait = std::chrono::system_clock::from_time_t(at) - now;
  return std::clamp(std::chrono::ceil<milliseconds>(wait), milliseconds{0},
                    milliseconds(kMaxRetryAfter));
}

}  // namespace fetchline
