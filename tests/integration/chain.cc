#include "tests/integration/chain.h"

#include <csignal>

namespace fetchline {

Site::Site(const Origin& origin, std::size_t indices, std::size_t pages, std::size_t images,
           std::size_t max_delay_ms) {
  std::size_t number = 0;
  const auto query = [&] {
    return max_delay_ms == 0 ? "?"
                             : "?delay=" + std::to_string(number++ * 7919 % max_delay_ms) + "&";
  };
  for (std::size_t i = 0; i < indices; ++i) {
    std::string page_list;
    for (std::size_t p = 0; p < pages; ++p) {
      const std::string page = std::to_string(i) + "-" + std::to_string(p);
      std::string image_list;
      for (std::size_t k = 0; k < images; ++k) {
        const std::string image = "/image/" + page + "-" + std::to_string(k);
        urls_[2].push_back(origin.url(image + query() + "size=300"));
        image_list += urls_[2].back() + "\n";
      }
      urls_[1].push_back(
          origin.url("/page/" + page + query() + "body=" + percent_encoded(image_list)));
      page_list += urls_[1].back() + "\n";
    }
    urls_[0].push_back(
        origin.url("/index/" + std::to_string(i) + query() + "body=" + percent_encoded(page_list)));
  }
}

std::string Site::input() const {
  std::string text;
  for (const std::string& url : urls_[0]) text += url + "\n";
  return text;
}

const std::vector<std::string>& Site::urls(std::size_t stage) const { return urls_[stage]; }

void Site::expect_records(std::size_t stage, const Records& records) const {
  ASSERT_EQ(records.size(), urls_[stage].size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].at("url"), urls_[stage][i]) << i;
    ASSERT_EQ(records[i].at("outcome"), "ok") << records[i];
    ASSERT_EQ(body_of(records[i]).size(), stage == 2 ? 300U : body_of(records[i]).size());
  }
}

Stage::Stage(Layout layout, std::string output, Args tasks, std::string next, Args more)
    : layout_(layout), output_(std::move(output)) {
  Args out = {"-o", output_, "--progress", "none"};
  if (!next.empty()) out = out + Args{"--next", next};
  if (is_whole()) {
    commands_["fetchline"] = {fetchline_path(), tasks + out + more};
    return;
  }
  const std::string at = endpoint(free_port()), results = endpoint(free_port());
  commands_["collector"] = {collector_path(), Args{"--bind", results} + out + more};
  commands_["producer"] = {producer_path(),
                           Args{"--bind", at, "--collector", results} + tasks + more};
  commands_["worker"] = {worker_path(), Args{"--producer", at, "--collector", results}};
}

std::vector<std::string> Stage::roles() const {
  std::vector<std::string> names;
  for (const auto& [role, command] : commands_) names.push_back(role);
  return names;
}

void Stage::start() {
  for (const auto& [role, command] : commands_) start(role);
}

void Stage::start(const std::string& role) {
  const Command& command = commands_.at(role);
  running_[role] = std::make_unique<RunningProgram>(command.path, command.args);
}

void Stage::kill(const std::string& role) {
  running_.at(role)->signal(SIGKILL);
  const int code = running_.at(role)->exit_code();
  EXPECT_TRUE(code == 128 + SIGKILL || code == 0) << code;  // it may have ended before
}

void Stage::signal(int number) {
  for (const auto& [role, program] : running_) {
    EXPECT_TRUE(eventually([&] { return program->has_ended() || program->listens_to(number); }));
  }
  for (const auto& [role, program] : running_) program->signal(number);
}

int Stage::exit_code() {
  const int code = writer().exit_code();
  if (code < 0) return code;
  EXPECT_EQ(reader().exit_code(), code) << stderr_text();
  return code;
}

std::string Stage::stderr_text() const {
  std::string text;
  for (const auto& [role, program] : running_) {
    text += "--- " + role + " of " + output_ + (program->has_ended() ? ", ended\n" : "\n") +
            program->stderr_text();
  }
  return text;
}

}  // namespace fetchline
