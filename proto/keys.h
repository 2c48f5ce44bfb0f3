// Who a process is and whom it believes: CURVE keys, each bound to a role. Pure; any thread.
//
// A key file holds the secret key of one process, the authorized file the public keys of the whole
// fleet. Both are lines of text; empty ones and those that begin with # are passed over. Keys are
// 40 characters of Z85, as ZeroMQ's own tools write them.
//
//     worker rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7             the key file
//     worker Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID  2026-01-01  a line of the authorized file
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fetchline {

enum class Role : std::uint8_t { producer, worker, collector };
inline constexpr Role kRoles[] = {Role::producer, Role::worker, Role::collector};
[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] std::optional<Role> parse_role(std::string_view text);

inline constexpr std::size_t kKeyCharacters = 40;  // 32 bytes in Z85

struct KeyPair {
  std::string public_key, secret_key;
};
[[nodiscard]] KeyPair random_key_pair();

struct AuthorizedKey {
  Role role = Role::worker;
  std::string public_key;
};

// Keys that cannot be used. what() names the line; from proto/key_files.h also flag and file.
struct KeyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The text of a key file: the line of that role, beside which others may stand, one a role, for a
// process that is two of them. Throws KeyError, also when all are of other roles.
[[nodiscard]] KeyPair parse_key_file(std::string_view text, Role own);

// The text of an authorized file. Any number of keys a role, no key twice. Throws KeyError.
[[nodiscard]] std::vector<AuthorizedKey> parse_authorized_file(std::string_view text);

// What a process was given. Without keys it talks as anybody to anybody.
struct Keys {
  Role role = Role::worker;  // its own
  KeyPair own;
  std::vector<AuthorizedKey> authorized;
  bool insecure_plaintext = false;  // meant to do without, on other addresses than this machine's

  [[nodiscard]] bool empty() const { return own.secret_key.empty(); }
  [[nodiscard]] std::optional<Role> role_of(std::string_view public_key) const;
  [[nodiscard]] std::vector<std::string> keys_of(Role role_wanted) const;
};

// What is bound there, or connected to, is out of reach of other machines: inproc://, ipc:// and
// TCP on loopback addresses.
[[nodiscard]] bool is_of_this_machine(std::string_view endpoint);

}  // namespace fetchline
