// "--name value" pairs of a benchmark's command line. A wrong one ends in std::invalid_argument
// with a line for people.
#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fetchline::bench {

class Arguments {
 public:
  // `defaults` names every argument there is.
  Arguments(int argc, char** argv, std::map<std::string, std::string, std::less<>> defaults)
      : values_(std::move(defaults)) {
    for (int i = 1; i < argc; i += 2) {
      const std::string_view name = argv[i];
      const auto known = values_.find(name.substr(std::min<std::size_t>(2, name.size())));
      if (!name.starts_with("--") || known == values_.end() || i + 1 == argc) {
        throw std::invalid_argument(std::string(name) + ": unknown, or has no value");
      }
      known->second = argv[i + 1];
    }
  }

  [[nodiscard]] const std::string& text(std::string_view name) const {
    return values_.find(name)->second;
  }

  template <class Number>
  [[nodiscard]] Number number(std::string_view name) const {
    const std::string& value = text(name);
    Number number{};
    const char* const end = value.data() + value.size();
    if (const auto read = std::from_chars(value.data(), end, number);
        read.ec != std::errc() || read.ptr != end) {
      throw std::invalid_argument("--" + std::string(name) + " " + value + ": not a number");
    }
    return number;
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace fetchline::bench
