// The names of body files: `0000000042-page.html` after the URL, or what the task asked for. Pure.
// The same tasks get the same names in every run, and no name leaves its directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "proto/ids.h"

namespace fetchline {

// "INDEX-SEGMENT": the index in 10 digits, and the last segment of the URL's path with everything
// but [A-Za-z0-9._-] as `_`, at most 100 bytes; "index" when there is none. A long one is cut in
// front of its extension.
[[nodiscard]] std::string name_after_url(Index index, std::string_view url);

// The wish itself when it is a plain file name. Else `_` stands for a slash, a control character,
// a dot or dash in front, and a byte above 127 that is not UTF-8; at most 200 bytes of it are kept,
// and its extension.
[[nodiscard]] std::string name_after_wish(std::string_view wish);

class BodyNames {
 public:
  // The name of a result's file; `wish` may be empty. A name that another has already gets the
  // index in front. Indices ascend from call to call.
  [[nodiscard]] std::string choose(Index index, std::string_view url, std::string_view wish) const;

  // It is some file's from here on.
  void add(Index index, std::string_view name);
  void reserve(std::string_view name) { taken_.insert(hash_of(name)); }

 private:
  [[nodiscard]] bool is_free(Index index, std::string_view name) const;
  [[nodiscard]] static std::uint64_t hash_of(std::string_view name);

  // Only names that tasks wished for: those with their index in front are unlike by themselves.
  // Hashes, for there may be millions; two that are equal cost one name its shortness.
  std::unordered_set<std::uint64_t> taken_;
};

}  // namespace fetchline
