// Where one transfer goes: which addresses it may connect and send to, redirect after redirect.
// Pure; owned by a Transfer, on its fetcher's thread.
//
// Judged is the address of the connection: behind a proxy, the proxy's.
#pragma once

#include <optional>
#include <string>

#include "worker/address_policy.h"

namespace fetchline {

class Hops {
 public:
  explicit Hops(const AddressPolicy& policy) : policy_(policy) {}  // outlives it

  void begin();

  // Before a connection is made, once for each address that a name has; `redirected`: an answer
  // has come before. And before a request is sent, on a new connection or an old one. False: not
  // to this one.
  [[nodiscard]] bool may_connect(const IpAddress& address, bool redirected);
  [[nodiscard]] bool may_send(const IpAddress& address, bool redirected);

  // Why the last hop was not made; empty when an address of it was tried.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  [[nodiscard]] bool comes_from_public(bool redirected);

  const AddressPolicy& policy_;
  std::string refusal_;
  bool tried_ = false;             // an address of this hop
  bool was_public_ = false;        // an address that was sent to before the last
  std::optional<IpAddress> last_;  // that was sent to, if it is not judged yet
};

}  // namespace fetchline
