#include "worker/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace fetchline {
namespace {

constexpr std::size_t kV4Offset = 12;  // of an IPv4 address in ::ffff:0:0/96
constexpr unsigned kV4PrefixBits = 96;

std::string why_no_range(const std::string& part) {
  if (!IpRange::around(part)) return "is not any, public, or a range like 10.0.0.0/8";
  return "has bits set beyond " + part.substr(part.find('/'));
}

}  // namespace

BadRange::BadRange(const std::string& wrong)
    : std::invalid_argument(why_no_range(wrong)), part(wrong) {}

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  IpAddress address;
  if (text.find(':') != std::string::npos) {
    if (inet_pton(AF_INET6, text.c_str(), address.bytes_.data()) == 1) return address;
    return std::nullopt;
  }
  address.bytes_[10] = address.bytes_[11] = 0xff;
  if (inet_pton(AF_INET, text.c_str(), &address.bytes_[kV4Offset]) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const sockaddr& address) {
  IpAddress result;
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(result.bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    return result;
  }
  if (address.sa_family != AF_INET) return std::nullopt;
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  result.bytes_[10] = result.bytes_[11] = 0xff;
  std::memcpy(&result.bytes_[kV4Offset], &v4.sin_addr, sizeof v4.sin_addr);
  return result;
}

bool IpAddress::is_v4() const {
  static const IpRange mapped = *IpRange::parse("::ffff:0:0/96");
  return mapped.contains(*this);
}

IpAddress IpAddress::destination() const {
  static const IpRange nat64 = *IpRange::parse("64:ff9b::/96");
  static const IpRange six_to_four = *IpRange::parse("2002::/16");
  if (nat64.contains(*this)) return v4_at(kV4Offset);
  if (six_to_four.contains(*this)) return v4_at(2);
  return *this;
}

IpAddress IpAddress::v4_at(std::size_t offset) const {
  IpAddress v4;
  v4.bytes_[10] = v4.bytes_[11] = 0xff;
  std::copy_n(&bytes_[offset], 4, &v4.bytes_[kV4Offset]);
  return v4;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, &bytes_[v4 ? kV4Offset : 0], text.data(), text.size());
  return text.data();
}

std::optional<IpRange> IpRange::parse(const std::string& text) {
  const auto range = around(text);
  const auto address = IpAddress::parse(text.substr(0, text.find('/')));
  return range && range->first_.bytes_ == address->bytes_ ? range : std::nullopt;
}

std::optional<IpRange> IpRange::around(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto first = IpAddress::parse(text.substr(0, slash));
  if (!first) return std::nullopt;
  IpRange range;
  range.first_ = *first;
  range.bits_ = 128;
  if (slash != std::string::npos) {
    const bool v4 = text.find(':') == std::string::npos;
    const char* const end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data() + slash + 1, end, range.bits_);
    if (error != std::errc() || parsed != end || range.bits_ > (v4 ? 32U : 128U)) {
      return std::nullopt;
    }
    if (v4) range.bits_ += kV4PrefixBits;
  }
  for (unsigned bit = range.bits_; bit < 128; ++bit) {
    range.first_.bytes_[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  return range;
}

bool IpRange::contains(const IpAddress& address) const {
  const unsigned whole = bits_ / 8;
  if (std::memcmp(first_.bytes_.data(), address.bytes_.data(), whole) != 0) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((first_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - rest)) == 0;
}

// IANA IPv4 and IPv6 Special-Purpose Address Registries, all that is not globally reachable. The
// few reachable addresses inside 192.0.0.0/24 and 2001::/23 serve no web pages.
const std::vector<SpecialRange>& special_ranges() {
  static const std::vector<SpecialRange> ranges = {
      {"0.0.0.0/8", "this network"},
      {"10.0.0.0/8", "private"},
      {"100.64.0.0/10", "shared by a carrier's customers"},
      {"127.0.0.0/8", "loopback"},
      {"169.254.0.0/16", "link-local"},
      {"172.16.0.0/12", "private"},
      {"192.0.0.0/24", "protocol assignments"},
      {"192.0.2.0/24", "documentation"},
      {"192.88.99.0/24", "6to4 relay"},
      {"192.168.0.0/16", "private"},
      {"198.18.0.0/15", "benchmarks"},
      {"198.51.100.0/24", "documentation"},
      {"203.0.113.0/24", "documentation"},
      {"224.0.0.0/4", "multicast"},
      {"240.0.0.0/4", "reserved"},
      {"::/128", "unspecified"},
      {"::1/128", "loopback"},
      {"64:ff9b:1::/48", "local translation"},
      {"100::/64", "discarded"},
      {"2001::/23", "protocol assignments"},
      {"2001:db8::/32", "documentation"},
      {"3fff::/20", "documentation"},
      {"fc00::/7", "private"},
      {"fe80::/10", "link-local"},
      {"fec0::/10", "site-local"},
      {"ff00::/8", "multicast"},
  };
  return ranges;
}

AddressPolicy::AddressPolicy(const std::string& rule, const std::vector<SpecialRange>& special)
    : rule_(rule) {
  for (std::size_t at = 0; at <= rule.size();) {
    const std::size_t comma = std::min(rule.find(',', at), rule.size());
    const std::string part = rule.substr(at, comma - at);
    at = comma + 1;
    if (part == "any") {
      any_ = true;
    } else if (part == "public") {
      public_ = true;
    } else if (const auto range = IpRange::parse(part)) {
      named_.push_back(*range);
    } else {
      throw BadRange(part);
    }
  }
  for (const auto& [cidr, what] : special) {
    special_.push_back({IpRange::parse(cidr).value(), cidr + ", " + what});
  }
}

bool AddressPolicy::is_public(const IpAddress& address) const {
  return why_not_public(address).empty();
}

std::string_view AddressPolicy::why_not_public(const IpAddress& address) const {
  static const IpRange global = *IpRange::parse("2000::/3");  // all that is allocated of IPv6
  const IpAddress destination = address.destination();
  const auto found = std::find_if(special_.begin(), special_.end(), [&](const Special& special) {
    return special.range.contains(destination);
  });
  if (found != special_.end()) return found->text;
  return destination.is_v4() || global.contains(destination) ? "" : "outside of 2000::/3";
}

bool AddressPolicy::is_named(const IpAddress& address) const {
  return std::any_of(named_.begin(), named_.end(), [&](const IpRange& range) {
    return range.contains(address) || range.contains(address.destination());
  });
}

std::string AddressPolicy::refusal(const IpAddress& address, bool redirected_from_public) const {
  if (is_named(address) || (any_ && !redirected_from_public)) return {};
  const std::string special(why_not_public(address));
  if (special.empty() && (any_ || public_)) return {};
  const std::string whom = address.text() + (special.empty() ? "" : " (" + special + ")");
  if (!any_) return whom + " is not in --allow-net " + rule_;
  return "a redirect leads from a public address to " + whom + ", which --allow-net does not name";
}

}  // namespace fetchline
