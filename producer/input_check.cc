#include "producer/input_check.h"

#include <poll.h>

#include "producer/task_source.h"

namespace fetchline {

InputCheck check_input(const std::vector<std::string>& urls, const std::string& path,
                       const EmitRule& rule) {
  TaskSource source(urls, path, rule);
  InputCheck check;
  while (true) {
    const auto line = source.next(check.tasks + check.faulty);
    if (!line) {
      if (source.ended()) break;
      if (source.read_block()) continue;
      pollfd item{.fd = source.fd(), .events = POLLIN, .revents = 0};
      poll(&item, 1, -1);
    } else if (const auto* invalid = std::get_if<InvalidTask>(&*line)) {
      ++check.faulty;
      if (check.faults.size() < InputCheck::kShownFaults)
        check.faults.push_back(errormsg_of(*invalid));
    } else {
      ++check.tasks;
    }
  }
  if (const auto more = check.faulty - check.faults.size(); more > 0) {
    check.faults.push_back("and " + std::to_string(more) + " more lines that are not tasks");
  }
  return check;
}

}  // namespace fetchline
