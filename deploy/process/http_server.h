// A small HTTP server for those who watch a program. Owned by main; one thread of its own, that
// bounds what strangers can make it do: 8 KiB and some seconds a request, kMostConnections of them.
// When there are more, who has waited longest goes: idle ones keep nobody out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "deploy/process/http_request.h"

namespace fetchline {

class HttpServer {
 public:
  static constexpr std::size_t kMostConnections = 64;

  // Listens from now on. `answer` is given a path and called on the server's thread, one at a time.
  // Throws std::system_error when it cannot listen there.
  HttpServer(const ListenAddress& address, std::function<HttpAnswer(const std::string&)> answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Throws as the constructor would now. Nobody who connects meanwhile is answered.
  static void check(const ListenAddress& address);

  [[nodiscard]] std::uint16_t port() const;
  // Whether only this machine can reach it.
  [[nodiscard]] bool is_loopback() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace fetchline
