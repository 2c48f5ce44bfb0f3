#include "proto/keys.h"

#include <arpa/inet.h>
#include <zmq.h>

#include <algorithm>
#include <array>

namespace fetchline {
namespace {

constexpr std::string_view kBlank = " \t\r";

// The next word of a line, taken from its front; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

bool is_key(std::string_view word) {
  std::array<std::uint8_t, 32> bytes{};
  return word.size() == kKeyCharacters &&
         zmq_z85_decode(bytes.data(), std::string(word).c_str()) != nullptr;
}

struct Line {
  Role role;
  std::string key;
};

KeyError error_at(std::size_t number, const std::string& text) {
  return KeyError("line " + std::to_string(number) + ": " + text);
}

// What does not fit is not quoted: it may be a secret in the wrong place.
Line parse_line(std::string_view line, std::size_t number) {
  const auto role = parse_role(take_word(line));
  if (!role) throw error_at(number, "does not begin with producer, worker or collector");
  const std::string_view key = take_word(line);
  if (!is_key(key)) throw error_at(number, "has no key of 40 characters after the role");
  return {*role, std::string(key)};
}

template <class Use>
void for_each_line(std::string_view text, Use use) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    use(parse_line(line, number), number);
  }
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::producer:
      return "producer";
    case Role::worker:
      return "worker";
    case Role::collector:
      return "collector";
  }
  return "unknown";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : kRoles) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

KeyPair random_key_pair() {
  std::array<char, kKeyCharacters + 1> public_key{}, secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw KeyError("this build of ZeroMQ has no CURVE");
  }
  return {public_key.data(), secret_key.data()};
}

KeyPair parse_key_file(std::string_view text, Role own) {
  KeyPair pair;
  std::vector<Role> roles;
  std::optional<KeyError> of_another;
  for_each_line(text, [&](Line line, std::size_t number) {
    if (std::ranges::find(roles, line.role) != roles.end()) {
      throw error_at(number, "is a second key of a " + std::string(to_string(line.role)));
    }
    roles.push_back(line.role);
    if (line.role == own) {
      pair.secret_key = std::move(line.key);
    } else if (!of_another) {
      of_another = error_at(number, "is the key of a " + std::string(to_string(line.role)) +
                                        ", and this is a " + std::string(to_string(own)));
    }
  });
  if (pair.secret_key.empty()) throw of_another.value_or(KeyError("there is no key in it"));
  std::array<char, kKeyCharacters + 1> public_key{};
  if (zmq_curve_public(public_key.data(), pair.secret_key.c_str()) != 0) {
    throw KeyError("this build of ZeroMQ has no CURVE");
  }
  pair.public_key = public_key.data();
  return pair;
}

std::vector<AuthorizedKey> parse_authorized_file(std::string_view text) {
  std::vector<AuthorizedKey> keys;
  for_each_line(text, [&](Line line, std::size_t number) {
    const bool known = std::ranges::any_of(
        keys, [&](const AuthorizedKey& key) { return key.public_key == line.key; });
    if (known) throw error_at(number, "has a key that stands above already");
    keys.push_back({line.role, std::move(line.key)});
  });
  return keys;
}

std::optional<Role> Keys::role_of(std::string_view public_key) const {
  for (const AuthorizedKey& key : authorized) {
    if (key.public_key == public_key) return key.role;
  }
  return std::nullopt;
}

std::vector<std::string> Keys::keys_of(Role role_wanted) const {
  std::vector<std::string> found;
  for (const AuthorizedKey& key : authorized) {
    if (key.role == role_wanted) found.push_back(key.public_key);
  }
  return found;
}

bool is_of_this_machine(std::string_view endpoint) {
  if (endpoint.starts_with("inproc://") || endpoint.starts_with("ipc://")) return true;
  constexpr std::string_view kTcp = "tcp://";
  if (!endpoint.starts_with(kTcp)) return false;
  std::string_view host = endpoint.substr(kTcp.size());
  host = host.substr(0, host.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return is_loopback(std::string(host));
}

}  // namespace fetchline
