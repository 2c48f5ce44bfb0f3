// The keys of a fleet as an operator makes them, `fetchline keygen`, in a directory of the test.
#pragma once

#include <string>

#include "proto/key_files.h"
#include "proto/keys.h"
#include "proto/sockets.h"
#include "tests/collector/temporary_directory.h"
#include "tests/integration/program.h"

namespace fetchline {

class FleetKeys {
 public:
  FleetKeys() {
    const Ended made = run(fetchline_path(), {"keygen", directory_.path()});
    EXPECT_EQ(made.code, 0) << made.err;
  }

  [[nodiscard]] std::string key(Role role) const {
    return directory_.file(std::string(to_string(role)) + ".key");
  }
  [[nodiscard]] std::string authorized() const { return directory_.file("authorized"); }
  [[nodiscard]] Args flags(Role role) const {
    return {"--key", key(role), "--authorized-keys", authorized()};
  }

  [[nodiscard]] KeyPair pair(Role role) const {
    return read_keys({key(role), authorized()}, role).own;
  }
  // What whoever has this pair needs for a port of `server`.
  [[nodiscard]] ClientKeys client(const KeyPair& own, Role server) const {
    return {own, pair(server).public_key};
  }

 private:
  const TemporaryDirectory directory_;
};

}  // namespace fetchline
