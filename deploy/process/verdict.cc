#include "deploy/process/verdict.h"

#include "deploy/process/quantities.h"

namespace fetchline {
namespace {

struct Counts {
  std::uint64_t failed, total;

  bool operator()(const FailNever&) const { return false; }
  bool operator()(const FailAtCount& rule) const { return failed >= rule.failed; }
  bool operator()(const FailAtPercent& rule) const {
    return failed > 0 &&
           static_cast<double>(failed) * 100 >= rule.percent * static_cast<double>(total);
  }
};

}  // namespace

std::optional<FailOn> parse_fail_on(std::string_view text) {
  if (text == "any") return FailAtCount{};
  if (text == "never") return FailNever{};
  if (text.ends_with('%')) {
    const auto percent = parse_number(text.substr(0, text.size() - 1));
    if (!percent || *percent <= 0 || *percent > 100) return std::nullopt;
    return FailAtPercent{*percent};
  }
  const auto failed = parse_count(text);
  if (!failed || *failed == 0) return std::nullopt;
  return FailAtCount{*failed};
}

ExitCode decide(const FailOn& rule, std::uint64_t ok, std::uint64_t failed, std::uint64_t total) {
  if (total == 0 || !std::visit(Counts{failed, total}, rule)) return ExitCode::ok;
  return ok == 0 ? ExitCode::none_succeeded : ExitCode::some_failed;
}

}  // namespace fetchline
