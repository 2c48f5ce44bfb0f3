// What an operator asks a running program over HTTP, for --http ADDR:PORT:
//
//   GET /ping     200 as long as the process answers at all
//   GET /ready    200 when everybody it needs is there, else 503 and for whom it waits, a line each
//   GET /metrics  for Prometheus
//   GET /status   JSON, for people and autoscalers
//   GET /         a page that shows /status as it changes
//
// Read-only and without authentication: bind it where only those may come who may know the URLs.
// Owned by main; it has a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deploy/process/http_server.h"
#include "deploy/process/metrics.h"
#include "deploy/process/program.h"
#include "deploy/process/progress_text.h"

namespace fetchline {

using Json = nlohmann::ordered_json;

// For one role's answer; `fetchline` asks three in turn. It gives one at its next turn, which it
// begins when it is asked; after so long it is shown as it was.
inline constexpr std::chrono::milliseconds kWatchPatience{500};

// A look at the program; its roles fill it.
struct Observation {
  ProgressMoment progress;
  std::vector<std::string> missing;  // whom it waits for; none: it is ready
  Json roles = Json::object();       // "producer": {…}
  Metrics metrics;
};

class WatchServer {
 public:
  // `look` is called on the server's thread while the roles work, and lives longer than this.
  // Binds "127.0.0.1:8080", "[::1]:8080" or ":8080" (every address); port 0: any, told in the log.
  // Throws UsageError that names --http.
  WatchServer(const std::string& address, std::string program, std::function<Observation()> look);
  ~WatchServer();
  WatchServer(const WatchServer&) = delete;
  WatchServer& operator=(const WatchServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Pages;
  std::unique_ptr<Pages> pages_;
  std::unique_ptr<HttpServer> server_;  // the last, as its thread uses the pages
};

// Throws UsageError when it cannot be served as --http says: to be asked before an old output is
// touched.
void check_watch(const Program& program);

// As --http says; null when it is not given.
[[nodiscard]] std::unique_ptr<WatchServer> serve_watch(const Program& program,
                                                       std::function<Observation()> look);

}  // namespace fetchline
