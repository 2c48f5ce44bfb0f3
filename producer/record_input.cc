#include "producer/record_input.h"

#include <string>

#include "producer/base64.h"

namespace fetchline {
namespace {

using simdjson::dom::array;
using simdjson::dom::object;

Emitted lines_in(array texts) {
  Emitted emitted;
  for (const auto item : texts) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) {
      return {.lines = {}, .error = "emit is not a list of strings"};
    }
    if (text.find('\n') != text.npos) return {.lines = {}, .error = "a line in emit is not one"};
    emitted.lines.append(text).append("\n");
  }
  return emitted;
}

// Where the body came from in the end.
std::string_view url_of(object record) {
  std::string_view url;
  if (record["url_effective"].get(url) == simdjson::SUCCESS) return url;
  return record["url"].get(url) == simdjson::SUCCESS ? url : std::string_view();
}

}  // namespace

bool is_record(object object) {
  std::uint64_t index = 0;
  std::string_view outcome;
  return object["index"].get(index) == simdjson::SUCCESS &&
         object["outcome"].get(outcome) == simdjson::SUCCESS;
}

Emitted emitted_by(object record, Emitter& emitter) {
  std::string_view text;
  if (record["outcome"].get(text) != simdjson::SUCCESS || text != "ok") return {};
  if (const auto emit = record["emit"]; emit.error() == simdjson::SUCCESS) {
    array texts;
    if (emit.get(texts) == simdjson::SUCCESS) return lines_in(texts);
    return {.lines = {}, .error = "emit is not a list of strings"};
  }
  const std::string_view url = url_of(record);
  if (record["body"].get(text) == simdjson::SUCCESS) return emitter.lines_of(text, url);
  if (record["body_base64"].get(text) != simdjson::SUCCESS) {
    return {.lines = {}, .error = "it has neither emit nor body"};
  }
  const auto body = decode_base64(text);
  if (!body) return {.lines = {}, .error = "body_base64 is not base64"};
  return emitter.lines_of(*body, url);
}

}  // namespace fetchline
