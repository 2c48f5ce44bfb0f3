#include "producer/producer_flags.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "deploy/process/flags.h"
#include "deploy/process/usage_error.h"
#include "producer/http_token.h"

namespace fetchline {
namespace {

std::string read_data_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError("--data", path + " cannot be read");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  // As curl: line ends of a file are not part of the data.
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  return text;
}

std::optional<std::string> joined(const std::vector<std::string>& data) {
  if (data.empty()) return std::nullopt;
  std::string body;
  for (const std::string& part : data) {
    if (&part != &data.front()) body += '&';
    body += part.starts_with('@') ? read_data_file(part.substr(1)) : part;
  }
  return body;
}

JobSettings::CodeRange code_range(const std::string& text) {
  const auto dash = text.find('-');
  const auto code = [](const std::string& digits) {
    return static_cast<std::uint16_t>(count_in(digits, 100, 999));
  };
  JobSettings::CodeRange range;
  range.first = code(text.substr(0, dash));
  range.last = dash == std::string::npos ? range.first : code(text.substr(dash + 1));
  if (range.first > range.last) throw BadValue(text, "ends before it begins");
  return range;
}

std::vector<JobSettings::CodeRange> code_ranges(const std::string& list) {
  std::vector<JobSettings::CodeRange> ranges;
  for (std::size_t at = 0; at <= list.size() && !list.empty();) {
    const auto comma = std::min(list.find(',', at), list.size());
    ranges.push_back(code_range(list.substr(at, comma - at)));
    at = comma + 1;
  }
  return ranges;
}

void check_header(const std::string& header) {
  const auto end = header.find_first_of(":;");
  const bool has_name = end != std::string::npos && is_token(header.substr(0, end));
  const bool printable = std::none_of(header.begin(), header.end(), [](char c) {
    return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F;
  });
  if (!has_name || !printable) {
    throw UsageError("--header", "\"" + header + "\" is not \"Name: value\"");
  }
}

// What a worker would have to refuse is refused here, where somebody reads it.
void check_size(const JobSettings& job) {
  std::size_t bytes = job.user_agent.size() + job.user_password.size() + job.proxy.size();
  for (const std::string& header : job.headers) bytes += header.size();
  if (job.body) bytes += job.body->size();
  if (bytes > kMaxSettingsBytes) {
    throw UsageError("--data, --header", "are longer than 512 KiB together");
  }
}

void check_method(const std::string& method) {
  if (method.empty() || is_token(method)) return;
  throw UsageError("--request", "\"" + method + "\" is not a method");
}

// As libcurl has them; it would say so only of the first task, in each worker.
void check_proxy(const std::string& proxy) {
  const auto end = proxy.find("://");
  if (end == std::string::npos) return;
  static constexpr std::array kSchemes = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
  std::string scheme = proxy.substr(0, end);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (std::find(kSchemes.begin(), kSchemes.end(), scheme) != kSchemes.end()) return;
  throw UsageError("--proxy",
                   "\"" + proxy + "\" is not http, https, socks4, socks4a, socks5 or socks5h");
}

void check_time(const char* flag, std::chrono::milliseconds time) {
  if (time > kMaxDuration) throw UsageError(flag, "is longer than a year");
}

}  // namespace

void TaskFlags::apply_to(ProducerOptions& options) const {
  options.job.body = joined(data);
  check_size(options.job);
  for (const std::string& header : options.job.headers) check_header(header);
  check_method(options.job.method);
  check_proxy(options.job.proxy);
  check_time("--max-time", options.job.max_time);
  check_time("--connect-timeout", options.job.connect_timeout);
  if (http1_1 && http2) throw UsageError("--http1.1", "excludes --http2");
  if (http1_1) options.job.http_version = JobSettings::HttpVersion::http1_1;
  if (http2) options.job.http_version = JobSettings::HttpVersion::http2;
  try {
    options.job.accept = code_ranges(accept);
  } catch (const BadValue& bad) {
    throw UsageError("--accept", bad.what());
  }
  if (options.job.max_filesize_bytes == 0) options.job.max_filesize_bytes = kMaxBodyBytes;
  if (options.job.max_filesize_bytes > kMaxBodyBytes) {
    throw UsageError("--max-filesize", "is at most 1G");
  }
  const bool has_input = !options.urls.empty() || !options.input.empty();
  if (!options.listen.empty() && has_input) {
    throw UsageError("--listen", "is the input: it excludes --input and URLs");
  }
  if (options.listen.empty() && !has_input) {
    throw UsageError("--input",
                     "nothing to fetch: give URLs, or -i FILE, or -i - for stdin, or --listen");
  }
}

void add_input_flags(CLI::App& app, ProducerOptions& options, TaskFlags& flags) {
  JobSettings& job = options.job;
  flag_group(app, "What to fetch");
  list_option(app, "URL", options.urls, "URL", "fetched before what is in --input");
  text_option(app, "-i,--input", options.input, "FILE", "a URL or a JSON task a line; - is stdin");
  text_option(app, "-X,--request", job.method, "METHOD", "instead of GET, or POST with --data");
  list_option(app, "-H,--header", job.headers, "LINE", "\"Name: value\", for every request");
  list_option(app, "-d,--data", flags.data, "TEXT",
              "request body; @FILE reads it; several join with &");
  text_option(app, "-A,--user-agent", job.user_agent, "TEXT", "instead of fetchline/VERSION");
  text_option(app, "-u,--user", job.user_password, "NAME:PASS", "HTTP basic authentication");
  text_option(app, "-x,--proxy", job.proxy, "URL", "the environment's proxies are ignored");
  switch_option(app, "-L,--location,!--no-location", job.follow_location, "follow redirects");
  count_option(app, "--max-redirs", job.max_redirs, "redirects followed for one task", 0U, 1000U);
  switch_option(app, "--compressed,!--no-compressed", job.compressed,
                "ask for compression, undo it");
  switch_option(app, "--http1.1", flags.http1_1, "speak HTTP/1.1 only");
  switch_option(app, "--http2", flags.http2, "try HTTP/2, without TLS too");
  text_option(app, "--accept", flags.accept, "CODES", "response codes that are ok: 200-299,304");
}

void add_resume_flag(CLI::App& app, ProducerOptions& options) {
  flag_group(app, "Where to");
  switch_option(app, "--resume", options.resume, "go on with the job that the collector has");
}

void add_patience_flags(CLI::App& app, ProducerOptions& options) {
  JobSettings& job = options.job;
  flag_group(app, "Patience");
  seconds_option(app, "--connect-timeout", job.connect_timeout, "for name, connection and TLS");
  seconds_option(app, "-m,--max-time", job.max_time, "for one attempt");
  size_option(app, "--speed-limit", job.speed_limit, "bytes a second; slower is a timeout");
  seconds_option(app, "--speed-time", job.speed_time, "when it lasts so long");
  count_option(app, "--retry", options.retry.retries, "more attempts when it may help", 0U, 1000U);
  seconds_option(app, "--retry-delay", options.retry.delay,
                 "before the second attempt, then doubling");
  seconds_option(app, "--retry-max-delay", options.retry.max_delay, "no wait is longer");
  size_option(app, "--max-filesize", job.max_filesize_bytes, "of a body, decoded; at most 1G");
  flag_group(app, "Safety");
  switch_option(app, "--retry-unsafe", job.retry_unsafe, "repeat a POST that may have been sent");
}

void add_verdict_flags(CLI::App& app, TaskFlags& flags) {
  flag_group(app, "Verdict");
  fail_on_option(app, flags.fail_on);
  flag_group(app, "Talk");
  switch_option(app, "--dry-run", flags.dry_run, "check input and settings, fetch nothing");
}

void add_listen_flag(CLI::App& app, ProducerOptions& options) {
  text_option(app, "--listen", options.listen, "ENDPOINT",
              "take tasks from the stage before, which connects here with --next");
}

void add_producer_fleet_flags(CLI::App& app, ProducerOptions& options) {
  flag_group(app, "Fleet");
  text_option(app, "--bind", options.bind, "ENDPOINT", "where workers get tasks");
  text_option(app, "--collector", options.collector, "ENDPOINT", "where results go");
  add_listen_flag(app, options);
  parsed_option(
      app, "--emit", "RULE",
      "of records on input that do not say what they emit: body-lines|links|json:/POINTER",
      to_string(options.emit), [&options](const std::string& text) {
        auto parsed = parse_emit_rule(text);
        if (const auto* fault = std::get_if<std::string>(&parsed)) throw BadValue(text, *fault);
        if (std::get<EmitRule>(parsed).kind == EmitRule::Kind::exec)
          throw BadValue(text, "is not for a producer: workers run commands");
        options.emit = std::move(std::get<EmitRule>(parsed));
      });
  key_options(app, options.keys.key, options.keys.authorized, options.keys.insecure_plaintext);
  seconds_option(app, "--drain-timeout", options.drain_timeout, "to finish what is in hand");
  seconds_option(app, "--peer-timeout", options.peer_timeout, "to wait for others; 0 is for ever");
}

}  // namespace fetchline
