// Which addresses may be spoken to: the rule of --allow-net, and the ranges of the special-purpose
// registries (RFC 6890 and what came after it). Pure; judged is the address that a name has come
// to, so that no spelling of it matters.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fetchline {

// An IPv6 address; an IPv4 one as ::ffff:a.b.c.d.
class IpAddress {
 public:
  [[nodiscard]] static std::optional<IpAddress> parse(const std::string& text);  // no zone, no []
  [[nodiscard]] static std::optional<IpAddress> of(const sockaddr& address);     // IPv4 and IPv6
  [[nodiscard]] bool is_v4() const;
  // The IPv4 address at the other end of NAT64's well-known prefix or of 6to4; else itself.
  [[nodiscard]] IpAddress destination() const;
  [[nodiscard]] std::string text() const;

 private:
  friend class IpRange;
  [[nodiscard]] IpAddress v4_at(std::size_t offset) const;
  std::array<std::uint8_t, 16> bytes_{};
};

class IpRange {
 public:
  // "10.0.0.0/8", "fc00::/7", or one address. Bits beyond the prefix must be 0.
  [[nodiscard]] static std::optional<IpRange> parse(const std::string& text);
  // The range that an address is in: "10.0.0.1/8" is in 10.0.0.0/8.
  [[nodiscard]] static std::optional<IpRange> around(const std::string& text);
  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpAddress first_;
  unsigned bits_ = 0;  // of 128
};

struct SpecialRange {
  std::string cidr;  // a range that is not public
  std::string what;
};
[[nodiscard]] const std::vector<SpecialRange>& special_ranges();

// A part of a rule that is none, and why.
struct BadRange : std::invalid_argument {
  explicit BadRange(const std::string& part);
  std::string part;
};

class AddressPolicy {
 public:
  // "any", "public", ranges, or several of them with commas between: what one allows is allowed.
  // Throws BadRange. `special`: what is not public.
  explicit AddressPolicy(const std::string& rule = "any",
                         const std::vector<SpecialRange>& special = special_ranges());

  [[nodiscard]] bool is_public(const IpAddress& address) const;

  // Why nothing may be sent there; empty: it may. A redirect that came from a public address leads
  // to others only where a range names them.
  [[nodiscard]] std::string refusal(const IpAddress& address, bool redirected_from_public) const;

 private:
  struct Special {
    IpRange range;
    std::string text;  // "10.0.0.0/8, private"
  };
  [[nodiscard]] bool is_named(const IpAddress& address) const;
  [[nodiscard]] std::string_view why_not_public(const IpAddress& address) const;  // empty: it is

  std::string rule_;
  bool any_ = false;
  bool public_ = false;
  std::vector<IpRange> named_;
  std::vector<Special> special_;
};

}  // namespace fetchline
