#include "deploy/process/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "deploy/process/printable.h"
#include "deploy/process/status_line.h"
#include "deploy/process/timestamp.h"

namespace fetchline {
namespace {

std::string_view view_of(const spdlog::string_view_t& text) { return {text.data(), text.size()}; }

// Not spdlog's stderr sink: that one knows nothing of the progress bar.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink(std::string program, bool json) : program_(std::move(program)), json_(json) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_stderr(json_ ? json_line(message) : text_line(message));
  }
  void flush_() override {}

 private:
  [[nodiscard]] std::string text_line(const spdlog::details::log_msg& message) const {
    std::string line = program_ + ": ";
    if (message.level != spdlog::level::info) {
      line.append(view_of(spdlog::level::to_string_view(message.level))).append(": ");
    }
    return line.append(printable(view_of(message.payload))).append("\n");
  }

  [[nodiscard]] std::string json_line(const spdlog::details::log_msg& message) const {
    std::string line = "{\"ts\":" + json_string(timestamp(message.time));
    line.append(",\"level\":")
        .append(json_string(view_of(spdlog::level::to_string_view(message.level))));
    line.append(",\"program\":").append(json_string(program_));
    return line.append(",\"msg\":").append(json_string(view_of(message.payload))).append("}\n");
  }

  const std::string program_;
  const bool json_;
};

}  // namespace

void setup_log(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>(
      options.program, std::make_shared<StderrSink>(options.program, options.json));
  logger->set_level(options.quiet     ? spdlog::level::err
                    : options.verbose ? spdlog::level::debug
                                      : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace fetchline
