#include "tests/origin/script.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>

namespace fetchline {
namespace {

constexpr std::size_t kMaxBodyBytes = std::size_t{1} << 30;
constexpr std::size_t kChunkBytes = 16 * 1024;

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// The query's parameters.
class Script {
 public:
  explicit Script(std::string_view target) {
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) return;
    std::string_view rest = target.substr(mark + 1);
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const std::size_t equals = std::min(pair.find('='), pair.size());
      values_[std::string(pair.substr(0, equals))] =
          percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    }
  }

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }

  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

  [[nodiscard]] std::size_t number(const std::string& name, std::size_t otherwise = 0) const {
    const std::string digits = text(name);
    std::size_t value = otherwise;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return std::min(value, kMaxBodyBytes);
  }

 private:
  std::map<std::string, std::string> values_;
};

std::string repeated(const std::string& pattern, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + pattern.size());
  while (text.size() < bytes) text += pattern;
  text.resize(bytes);
  return text;
}

std::string plain_body(const Script& script, std::string_view target) {
  if (script.has("binary")) {
    std::string bytes;
    for (int byte = 255; byte >= 0; --byte) bytes += static_cast<char>(byte);
    return repeated(bytes, script.number("size", bytes.size()));
  }
  const std::string pattern = script.text("body", std::string(target) + '#');
  if (script.has("gzip")) return repeated(pattern, script.number("gzip"));
  if (script.has("size")) return repeated(pattern, script.number("size"));
  if (script.has("body")) return pattern;
  return std::string(target);
}

std::string gzipped(const std::string& plain) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string hex(std::size_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

std::string chunked(std::string_view body) {
  std::string framed;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, kChunkBytes);
    framed += hex(piece.size()) + "\r\n" + std::string(piece) + "\r\n";
    body.remove_prefix(piece.size());
  }
  return framed + "0\r\nX-Trailer: end\r\n\r\n";
}

std::string header(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value) + "\r\n";
}

// URLs of this origin below this path.
std::string listed(const Script& script, const OriginRequest& request) {
  constexpr std::string_view kHost = "\r\nHost: ";
  const auto at = request.head.find(kHost);
  if (at == std::string::npos) return {};
  const auto begin = at + kHost.size();
  const std::string host = request.head.substr(begin, request.head.find("\r\n", begin) - begin);
  const std::string path = request.target.substr(0, request.target.find('?'));
  std::string lines;
  for (std::size_t i = 0; i < script.number("lines"); ++i) {
    lines += "http://" + host + path + "/" + std::to_string(i) + "?" + script.text("then") + "\n";
  }
  return lines;
}

std::string wire_body(const Script& script, const OriginRequest& request) {
  if (script.has("lines")) return listed(script, request);
  if (script.has("echo")) return request.head + "\r\n" + request.body;
  const std::string plain = plain_body(script, request.target);
  return script.has("gzip") ? gzipped(plain) : plain;
}

std::size_t status_of(const Script& script, std::size_t nth) {
  if (nth <= script.number("fail")) return 503;
  const bool redirects = script.has("location") || script.has("loop");
  return script.number("status", redirects ? 302 : 200);
}

std::string extra_headers(const Script& script) {
  std::string lines;
  const std::string value = repeated("abcdefghij", script.number("header_size", 10));
  for (std::size_t i = 0; i < script.number("headers"); ++i) {
    lines += header("X-Extra-" + std::to_string(i), value);
  }
  return lines;
}

std::string head_of(const Script& script, const OriginRequest& request, std::size_t nth,
                    std::size_t body_bytes) {
  std::string head;
  for (std::size_t i = 0; i < script.number("interim"); ++i) {
    head += "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
  }
  head += "HTTP/1.1 " + std::to_string(status_of(script, nth)) + " Scripted\r\n";
  head += header("Content-Type", script.text("type", "text/plain"));
  if (script.has("location")) head += header("Location", script.text("location"));
  if (script.has("loop")) head += header("Location", request.target);
  if (script.has("retry_after")) head += header("Retry-After", script.text("retry_after"));
  if (script.has("gzip")) head += header("Content-Encoding", "gzip");
  if (script.has("encoding")) head += header("Content-Encoding", script.text("encoding"));
  if (script.has("close")) head += header("Connection", "close");
  head += extra_headers(script);
  const bool breaks_off = script.has("cut") || script.has("reset");
  head += script.has("chunked")
              ? header("Transfer-Encoding", "chunked")
              : header("Content-Length", std::to_string(breaks_off ? 2 * body_bytes : body_bytes));
  return head + "\r\n";
}

OriginAnswer::Ending ending_of(const Script& script) {
  if (script.has("reset")) return OriginAnswer::Ending::reset;
  const bool closes = script.has("cut") || script.has("close") || script.has("drop");
  return closes ? OriginAnswer::Ending::close : OriginAnswer::Ending::keep_alive;
}

}  // namespace

OriginAnswer answer_to(const OriginRequest& request, std::size_t nth) {
  const Script script(request.target);
  OriginAnswer answer;
  answer.delay = std::chrono::milliseconds(script.number("delay"));
  answer.drip = std::chrono::milliseconds(script.number("drip"));
  answer.hangs = script.has("hang");
  answer.ending = ending_of(script);
  if (answer.hangs || script.has("drop")) return answer;
  answer.body = wire_body(script, request);
  answer.head = head_of(script, request, nth, answer.body.size());
  if (script.has("chunked")) answer.body = chunked(answer.body);
  if (request.method == "HEAD") answer.body.clear();
  return answer;
}

std::string origin_body(std::string_view target) { return plain_body(Script(target), target); }

}  // namespace fetchline
