#include "deploy/process/http_request.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace fetchline {
namespace {

HttpRequest refused(int status) { return {.status = status, .path = {}, .head = false}; }

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

HttpRequest parse_first_line(std::string_view line) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refused(400);
  const auto method = line.substr(0, first), version = line.substr(last + 1);
  const auto target = line.substr(first + 1, last - first - 1);
  if (!version.starts_with("HTTP/1.") || !target.starts_with('/')) return refused(400);
  if (target.find(' ') != std::string_view::npos) return refused(400);
  if (method != "GET" && method != "HEAD") return refused(405);
  return {.status = 200,
          .path = std::string(target.substr(0, target.find('?'))),
          .head = method == "HEAD"};
}

}  // namespace

std::optional<HttpRequest> parse_http_request(std::string_view bytes) {
  const auto end = std::min(bytes.find("\r\n\r\n"), bytes.find("\n\n"));
  if (std::min(end, bytes.size()) >= HttpRequest::kMostBytes) return refused(431);
  if (end == std::string_view::npos) return std::nullopt;
  return parse_first_line(bytes.substr(0, bytes.find_first_of("\r\n")));
}

std::string http_text(const HttpAnswer& answer, bool head) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  text += reason_of(answer.status);
  text += "\r\nContent-Type: " + answer.type;
  text += "\r\nContent-Length: " + std::to_string(answer.body.size());
  if (answer.status == 405) text += "\r\nAllow: GET, HEAD";
  // What the page loads is its own, and what it shows was written by strangers.
  text +=
      "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff"
      "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
      "connect-src 'self'; frame-ancestors 'none'\r\n\r\n";
  if (!head) text += answer.body;
  return text;
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return std::nullopt;
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;
  }
  return ListenAddress{std::string(host), std::string(port)};
}

}  // namespace fetchline
