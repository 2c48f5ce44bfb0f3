// What methods and header names are made of: RFC 9110, 5.6.2. Pure.
#pragma once

#include <string_view>

namespace fetchline {

[[nodiscard]] constexpr bool is_token(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of(
             "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
             std::string_view::npos;
}

}  // namespace fetchline
