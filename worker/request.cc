#include "worker/request.h"

#include <algorithm>
#include <utility>

#include "proto/ascii.h"
#include "worker/decoder.h"

namespace fetchline {
namespace {

// Up to the colon, or the semicolon by which libcurl is told to send a header without a value.
std::string_view name_of(std::string_view header) {
  std::string_view name = header.substr(0, header.find_first_of(":;"));
  while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
  return name;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(name_of(a), name_of(b), {}, lower, lower);
}

std::vector<std::string> merged(const std::vector<std::string>& job,
                                const std::vector<std::string>& task) {
  std::vector<std::string> headers;
  headers.reserve(job.size() + task.size());
  for (const std::string& header : job) {
    const auto replaces = [&header](const std::string& other) { return same_name(header, other); };
    if (std::none_of(task.begin(), task.end(), replaces)) headers.push_back(header);
  }
  headers.insert(headers.end(), task.begin(), task.end());
  return headers;
}

void add_default(std::vector<std::string>& headers, std::string header) {
  const auto names = [&header](const std::string& other) { return same_name(header, other); };
  if (std::none_of(headers.begin(), headers.end(), names)) headers.push_back(std::move(header));
}

void add_defaults(std::vector<std::string>& headers, const JobSettings& settings) {
  add_default(headers, "User-Agent: " + user_agent_of(settings));
  if (settings.compressed)
    add_default(headers, std::string("Accept-Encoding: ") + kAcceptedCodings);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

bool is_token(std::string_view text) {  // RFC 9110, 5.6.2
  const auto is_token_char = [](char c) {
    return is_digit(c) || is_alpha(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::string flaw_of(std::string_view method, const std::vector<std::string>& headers) {
  if (!method.empty() && !is_token(method)) return "The method is not a token";
  for (const std::string& header : headers) {
    if (has_control(header)) return "A header has a control character in it";
    if (!is_token(name_of(header)) || name_of(header).size() == header.size()) {
      return "A header is not of the form 'Name: value'";
    }
  }
  return {};
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

std::string user_agent_of(const JobSettings& settings) {
  return settings.user_agent.empty() ? "fetchline/" FETCHLINE_VERSION : settings.user_agent;
}

std::vector<std::string> headers_of(const JobSettings& settings) {
  std::vector<std::string> headers = settings.headers;
  add_defaults(headers, settings);
  return headers;
}

Request request_for(const JobSettings& settings, const Task& task) {
  Request request;
  request.body = body_of(settings, task);
  request.method = method_of(settings, task);
  request.max_time = task.max_time.count() > 0 ? task.max_time : settings.max_time;
  request.as_job = task.method.empty() && task.headers.empty() && !task.body &&
                   request.max_time == settings.max_time;
  if (request.as_job) return request;
  request.headers = merged(settings.headers, task.headers);
  add_defaults(request.headers, settings);
  return request;
}

std::string flaw_of(const JobSettings& settings) {
  for (const std::string* text : {&settings.user_agent, &settings.user_password, &settings.proxy}) {
    if (has_control(*text)) return "The job's settings have a control character in them";
  }
  return flaw_of(settings.method, settings.headers);
}

std::string flaw_of(const Task& task) {
  if (has_nul(task.url) || std::any_of(task.race.begin(), task.race.end(), has_nul) ||
      std::any_of(task.failover.begin(), task.failover.end(), has_nul)) {
    return "The URL has a NUL byte in it";
  }
  return flaw_of(task.method, task.headers);
}

std::vector<Stage> stages_of(const Task& task) {
  std::vector<Stage> stages = {{&task.url}};
  const auto is_new = [&stages](const std::string& url) {
    const auto is_same = [&url](const std::string* other) { return *other == url; };
    return std::none_of(stages.begin(), stages.end(), [&is_same](const Stage& stage) {
      return std::any_of(stage.begin(), stage.end(), is_same);
    });
  };
  for (const std::string& url : task.race) {
    if (is_new(url)) stages.front().push_back(&url);
  }
  for (const std::string& url : task.failover) {
    if (is_new(url)) stages.push_back({&url});
  }
  return stages;
}

}  // namespace fetchline
