#include "tests/faults/meeting.h"

#include <utility>

#include "tests/integration/slowness.h"

namespace fetchline {

using nlohmann::json;

namespace {

RunningProgram::Setup believing_in(const std::string& ca_path) {
  write_file(ca_path, Meeting::authority().certificate());
  return {.environment = {{"CURL_CA_BUNDLE", ca_path}}, .stdin_is_pipe = true};
}

}  // namespace

Meeting::Meeting(const Args& flags)
    : program_(fetchline_path(),
               Args{"-i", "-", "-j", std::to_string(kAtOnce), "--threads", "1", "--retry", "0",
                    "-m", std::to_string(kMaxTime.count()), "--max-filesize", "1M", "-q",
                    "--fail-on", "never"} +
                   flags,
               believing_in(directory_.file("ca.pem"))) {}

const Authority& Meeting::authority() {
  static const Authority authority;
  return authority;
}

Records Meeting::fetch(const Args& urls) {
  std::string lines;
  for (const std::string& url : urls) lines += url + "\n";
  EXPECT_TRUE(program_.write(lines));
  Records records;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto line = program_.read_line();
    if (!line) {
      ADD_FAILURE() << "no record; stderr: " << program_.stderr_text();
      return Records(urls.size(), json::object());
    }
    records.push_back(json::parse(*line));
    EXPECT_EQ(records.back().at("index"), count_++) << "each once, in order";
    EXPECT_EQ(records.back().at("url"), urls[i]);
  }
  EXPECT_FALSE(program_.has_output()) << "one record each";
  return records;
}

void Meeting::fetch_good(const HostileOrigin& origin) {
  Args targets, urls;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    targets.push_back("/good/" + std::to_string(count_ + i));
    urls.push_back(origin.url(targets.back()));
  }
  const Records records = fetch(urls);
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    EXPECT_EQ(records[i].value("outcome", ""), "ok") << records[i];
    EXPECT_EQ(records[i].value("body", ""), HostileOrigin::good_body(targets[i]));
  }
}

json Meeting::fetch_bad(const std::string& url, const std::string& outcome) {
  const Records records = fetch(Args(kAtOnce, url));
  for (const json& record : records) {
    EXPECT_EQ(record.value("outcome", ""), outcome) << record;
    EXPECT_EQ(outcome == "ok", record.value("errormsg", "") == "") << "says why";
    EXPECT_TRUE(outcome == "ok" || record.value("body", "") == "") << "whole or absent";
  }
  return records.front();
}

void Meeting::expect_end() {
  program_.close_stdin();
  EXPECT_EQ(program_.exit_code(), 0) << program_.stderr_text();
}

json meet(Encounter encounter) {
  HostileOrigin origin(std::move(encounter.act), Meeting::kAtOnce, encounter.identity);
  const HostileOrigin polite([](Wire&) {}, Meeting::kAtOnce, Meeting::authority().issue());
  const bool believable = !encounter.identity;  // its good URLs can be had
  Meeting meeting(encounter.flags);
  meeting.fetch_good(polite);
  if (believable) meeting.fetch_good(origin);
  const std::uint64_t before = meeting.peak_memory_bytes();

  const std::string url = encounter.url.empty() ? origin.url("/bad") : encounter.url;
  const auto start = Clock::now();
  const json record = meeting.fetch_bad(url, encounter.outcome);
  EXPECT_LE(Clock::now() - start, encounter.limit * slowness());
  EXPECT_TRUE(eventually([&] { return origin.acts_under_way() == 0; })) << "the peer is let go";

  meeting.fetch_good(believable ? origin : polite);
  const std::uint64_t growth = meeting.peak_memory_bytes() - before;
  EXPECT_TRUE(growth <= Meeting::kMaxGrowthBytes || (slowness() > 1)) << growth;
  testing::Test::RecordProperty("growth_kib", static_cast<int>(growth / 1024));
  meeting.expect_end();
  return record;
}

}  // namespace fetchline
