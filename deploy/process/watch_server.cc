#include "deploy/process/watch_server.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <system_error>
#include <utility>

#include "deploy/process/http_server.h"
#include "deploy/process/identity.h"
#include "deploy/process/live_page.h"
#include "deploy/process/usage_error.h"

namespace fetchline {
namespace {

using Clock = std::chrono::steady_clock;

// One look serves everybody who asks within this time: a hundred watchers cost the job what one
// does.
constexpr std::chrono::milliseconds kLookIsGood{200};

ListenAddress address_in(const std::string& text) {
  if (auto address = parse_listen_address(text)) return *address;
  throw UsageError("--http", "\"" + text + "\" is not ADDR:PORT, as in 127.0.0.1:8080");
}

Json progress_object(const ProgressMoment& moment) {
  const ProgressSample& sample = moment.sample;
  Json object{{"done", sample.done}, {"ok", sample.ok}, {"failed", sample.failed}};
  object["total"] = sample.total ? Json(*sample.total) : Json();
  object["in_flight"] = sample.in_flight;
  object["bytes_out"] = sample.bytes_out;
  object["per_second"] = moment.per_second;
  const auto left = time_left(moment);
  object["eta_seconds"] = left ? Json(in_seconds(*left)) : Json();
  object["elapsed_seconds"] = in_seconds(moment.elapsed);
  return object;
}

}  // namespace

class WatchServer::Pages {
 public:
  Pages(std::string program, std::function<Observation()> look)
      : program_(std::move(program)), look_(std::move(look)) {}

  // The server's thread.
  HttpAnswer page(const std::string& path) {
    if (path == "/ping") return {.body = "ok\n"};
    if (path == "/ready") return ready();
    if (path == "/metrics") {
      return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics()};
    }
    if (path == "/status") return {.type = "application/json", .body = status()};
    if (path == "/")
      return {.type = "text/html; charset=utf-8", .body = std::string(kLivePageHtml)};
    if (path == "/live.js") {
      return {.type = "text/javascript; charset=utf-8", .body = std::string(kLivePageJs)};
    }
    if (path == "/live.css")
      return {.type = "text/css; charset=utf-8", .body = std::string(kLivePageCss)};
    return {.status = 404, .body = "/ping /ready /metrics /status and / are here\n"};
  }

 private:
  const Observation& look() {
    const auto now = Clock::now();
    if (!seen_ || now - looked_ >= kLookIsGood) {
      seen_ = look_();
      looked_ = Clock::now();
    }
    return *seen_;
  }

  HttpAnswer ready() {
    std::string waiting;
    for (const std::string& whom : look().missing) waiting += "waiting for " + whom + "\n";
    if (waiting.empty()) return {.body = "ready\n"};
    return {.status = 503, .body = std::move(waiting)};
  }

  std::string status() {
    const Observation& seen = look();
    Json object{{"program", program_}, {"version", FETCHLINE_VERSION}, {"name", process_name()}};
    object["ready"] = seen.missing.empty();
    object["waiting_for"] = seen.missing;
    object["progress"] = progress_object(seen.progress);
    object.update(seen.roles);
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  std::string metrics() {
    const Observation& seen = look();
    Metrics metrics = seen.metrics;
    metrics.gauge("fetchline_build_info", "Always 1; the labels say what runs.", 1,
                  {{"program", program_}, {"version", FETCHLINE_VERSION}});
    metrics.gauge("fetchline_ready", "1 when everybody it needs is there.",
                  seen.missing.empty() ? 1 : 0);
    metrics.gauge("process_start_time_seconds", "When it started, since the Unix epoch.", started_);
    return metrics.text();
  }

  const std::string program_;
  const std::function<Observation()> look_;
  const double started_ =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::optional<Observation> seen_;  // the last look
  Clock::time_point looked_{};       // when it was over
};

namespace {

// What `use` of the address throws becomes what users are told.
template <class Use>
auto with_address(const std::string& text, Use use) try {
  return use(address_in(text));
} catch (const std::system_error& error) {
  throw UsageError("--http", "cannot listen at " + text + ": " + error.code().message());
}

}  // namespace

WatchServer::WatchServer(const std::string& address, std::string program,
                         std::function<Observation()> look)
    : pages_(std::make_unique<Pages>(std::move(program), std::move(look))),
      server_(with_address(address, [this](const ListenAddress& there) {
        return std::make_unique<HttpServer>(
            there, [this](const std::string& path) { return pages_->page(path); });
      })) {
  if (!server_->is_loopback()) {
    spdlog::warn("--http: shows URLs and settings to whoever can reach {}", address);
  }
  spdlog::debug("http at {}, port {}", address, port());
}
WatchServer::~WatchServer() = default;

std::uint16_t WatchServer::port() const { return server_->port(); }

void check_watch(const Program& program) {
  if (!program.http().empty()) with_address(program.http(), HttpServer::check);
}

std::unique_ptr<WatchServer> serve_watch(const Program& program,
                                         std::function<Observation()> look) {
  if (program.http().empty()) return nullptr;
  return std::make_unique<WatchServer>(program.http(), program.name(), std::move(look));
}

}  // namespace fetchline
