#include "producer/blame.h"

namespace fetchline {

void Blame::add(Index index, WorkerId worker, const std::string& name) {
  deaths_[index].push_back({worker, name});
}

std::vector<Index> Blame::take_back(WorkerId worker) {
  std::vector<Index> cleared;
  for (auto& [index, deaths] : deaths_) {
    const auto erased = std::erase_if(deaths, [&](const Death& d) { return d.worker == worker; });
    if (erased > 0) cleared.push_back(index);
  }
  std::erase_if(deaths_, [](const auto& entry) { return entry.second.empty(); });
  return cleared;
}

std::size_t Blame::deaths(Index index) const {
  if (deaths_.empty()) return 0;
  const auto at = deaths_.find(index);
  return at == deaths_.end() ? 0 : at->second.size();
}

std::string Blame::verdict(Index index) const {
  const auto& deaths = deaths_.at(index);
  std::string text = "its worker died " + std::to_string(deaths.size()) + " times";
  const char* before = ": ";
  for (const Death& death : deaths) {
    text += before + death.name;
    before = ", ";
  }
  return text;
}

}  // namespace fetchline
