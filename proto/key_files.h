// The files of --key and --authorized-keys.
#pragma once

#include <string>

#include "proto/keys.h"

namespace fetchline {

// As given on the command line.
struct KeyFiles {
  std::string key, authorized;  // both or neither
  bool insecure_plaintext = false;
};

// Throws KeyError, which names flag and file: also when others could read the key or write the
// authorized file, and when nobody is authorized whom this role must talk to.
[[nodiscard]] Keys read_keys(const KeyFiles& files, Role own);

}  // namespace fetchline
