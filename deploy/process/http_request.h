// The first lines of an HTTP/1.x request, as far as one who only shows pages needs them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetchline {

struct HttpRequest {
  static constexpr std::size_t kMostBytes = 8 * 1024;  // of a request, with all its headers

  int status = 200;    // what to answer when it cannot be served: 400, 405 or 431
  std::string path{};  // without query
  bool head = false;
};

// Empty: the request is not all there yet. A body is not waited for: nothing here takes one.
[[nodiscard]] std::optional<HttpRequest> parse_http_request(std::string_view bytes);

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// As it is sent; the connection is closed after it.
[[nodiscard]] std::string http_text(const HttpAnswer& answer, bool head);

// "127.0.0.1:8080", "[::1]:8080", ":8080" (every address); port 0: any.
struct ListenAddress {
  std::string host;  // empty: every address
  std::string port;
};
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace fetchline
