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

// Throws KeyError, which names flag and file: also when nobody is authorized whom this role must
// talk to, when everybody could write the authorized file, and when somebody else could read the
// key. A key file of our own has mode 0600; of somebody else's the group may be us, as Kubernetes
// gives secrets to a pod.
[[nodiscard]] Keys read_keys(const KeyFiles& files, Role own);

}  // namespace fetchline
