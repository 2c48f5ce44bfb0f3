#include "producer/task_object.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "producer/base64.h"
#include "producer/duration_text.h"
#include "producer/http_token.h"
#include "proto/ascii.h"
#include "proto/url.h"

namespace fetchline {
namespace {

constexpr std::size_t kMaxRace = 16;  // they run at once, in one slot

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

using Fault = std::optional<std::string>;

// A tab is the one control character that a header value may hold.
bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

Fault read_string(std::string_view key, element value, std::string& to) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::string(key) + " is not a string";
  to = text;
  return std::nullopt;
}

Fault read_url(Task& task, element value) { return read_string("url", value, task.url); }
Fault read_output(Task& task, element value) { return read_string("output", value, task.output); }

Fault read_id(Task& task, element value) {
  if (value.is_number()) {
    task.id = simdjson::minify(value);
    return std::nullopt;
  }
  if (!value.is_string()) return "id is neither a string nor a number";
  return read_string("id", value, task.id);
}

Fault read_method(Task& task, element value) {
  if (auto fault = read_string("method", value, task.method)) return fault;
  if (!is_token(task.method)) return "method is not a word that HTTP allows";
  return std::nullopt;
}

// In the form libcurl takes: "Name: value", "Name;" for an empty value, and "Name:" to leave out a
// header that would be sent otherwise, which a JSON null asks for.
Fault add_header(Task& task, std::string_view name, element value) {
  if (!is_token(name)) return "headers: a name is not a word that HTTP allows";
  if (value.is_null()) {
    task.headers.push_back(std::string(name) + ":");
    return std::nullopt;
  }
  std::string text;
  if (auto fault = read_string("headers: " + std::string(name), value, text)) return fault;
  if (has_control_character(text)) {
    return "headers: " + std::string(name) + " holds a control character";
  }
  const auto words = trimmed(text, " \t");
  task.headers.push_back(std::string(name) + (words.empty() ? ";" : ": " + std::string(words)));
  return std::nullopt;
}

Fault read_header_pair(Task& task, element pair) {
  array parts;
  std::string_view name;
  if (pair.get(parts) != simdjson::SUCCESS || parts.size() != 2 ||
      parts.at(0).get(name) != simdjson::SUCCESS) {
    return "headers: an item is not a pair of name and value";
  }
  return add_header(task, name, parts.at(1).value_unsafe());
}

Fault read_headers(Task& task, element value) {
  task.headers.clear();
  if (object fields; value.get(fields) == simdjson::SUCCESS) {
    for (const auto [name, text] : fields) {
      if (auto fault = add_header(task, name, text)) return fault;
    }
    return std::nullopt;
  }
  array pairs;
  if (value.get(pairs) != simdjson::SUCCESS) return "headers is neither an object nor a list";
  for (const auto pair : pairs) {
    if (auto fault = read_header_pair(task, pair)) return fault;
  }
  return std::nullopt;
}

Fault read_body(Task& task, element value) {
  if (task.body) return "more than one body";
  return read_string("body", value, task.body.emplace());
}

Fault read_body_base64(Task& task, element value) {
  if (task.body) return "more than one body";
  std::string text;
  if (auto fault = read_string("body_base64", value, text)) return fault;
  task.body = decode_base64(text);
  if (!task.body) return "body_base64 is not base64";
  return std::nullopt;
}

Fault read_urls(std::string_view key, element value, std::vector<std::string>& to) {
  to.clear();
  array urls;
  if (value.get(urls) != simdjson::SUCCESS) return std::string(key) + " is not a list";
  if (urls.size() == 0) return std::string(key) + " is empty";
  for (const auto url : urls) {
    auto place = std::string(key) + "[" + std::to_string(to.size()) + "]";
    if (auto fault = read_string(place, url, to.emplace_back())) return fault;
    const auto parsed = parse_url(to.back());
    if (const auto* fault = std::get_if<UrlFault>(&parsed)) return place + ": " + fault->reason;
  }
  return std::nullopt;
}

Fault read_race(Task& task, element value) { return read_urls("race", value, task.race); }
Fault read_failover(Task& task, element value) {
  return read_urls("failover", value, task.failover);
}

Fault read_max_time(Task& task, element value) {
  std::optional<std::chrono::milliseconds> time;
  if (double seconds = 0; value.get(seconds) == simdjson::SUCCESS) {
    time = duration_of_seconds(seconds);
  } else if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    time = duration_of_text(text);
  }
  if (!time) return R"(max_time is not a number of seconds or a text such as "250ms")";
  task.max_time = *time;
  return std::nullopt;
}

Fault read_meta(Task& task, element value) {
  task.meta = simdjson::minify(value);
  return std::nullopt;
}

struct Field {
  std::string_view key;
  Fault (*read)(Task& task, element value);
};
constexpr std::array<Field, 11> kFields = {{{"url", read_url},
                                            {"id", read_id},
                                            {"method", read_method},
                                            {"headers", read_headers},
                                            {"body", read_body},
                                            {"body_base64", read_body_base64},
                                            {"race", read_race},
                                            {"failover", read_failover},
                                            {"max_time", read_max_time},
                                            {"output", read_output},
                                            {"meta", read_meta}}};

Fault read_field(Task& task, std::string_view key, element value) {
  const auto field = std::ranges::find(kFields, key, &Field::key);
  if (field == kFields.end()) return std::nullopt;
  // A null is a field that was not given, except that `meta` is whatever it is.
  if (value.is_null() && key != "meta") return std::nullopt;
  return field->read(task, value);
}

Fault check_urls(Task& task) {
  if (!task.race.empty() && !task.failover.empty()) return "race and failover together";
  if (task.race.size() > kMaxRace) return "race has more than 16 URLs";
  if (task.url.empty() && !task.race.empty()) task.url = task.race.front();
  if (task.url.empty() && !task.failover.empty()) task.url = task.failover.front();
  if (task.url.empty()) return "no url";
  const auto parsed = parse_url(task.url);
  if (const auto* fault = std::get_if<UrlFault>(&parsed)) return fault->reason;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_task(object object, Task& task) {
  Fault first;
  for (const auto [key, value] : object) {
    auto fault = read_field(task, key, value);
    if (!first) first = std::move(fault);
  }
  return first ? first : check_urls(task);
}

}  // namespace fetchline
