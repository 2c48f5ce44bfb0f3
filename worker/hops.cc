#include "worker/hops.h"

#include <utility>

namespace fetchline {

void Hops::begin() {
  refusal_.clear();
  tried_ = was_public_ = false;
}

bool Hops::may_connect(const IpAddress& address, bool redirected) {
  std::string refusal = policy_.refusal(address, redirected && was_public_);
  const bool may = refusal.empty();
  tried_ = tried_ || may;
  if (tried_) {
    refusal_.clear();
  } else {
    refusal_ = std::move(refusal);
  }
  return may;
}

bool Hops::may_send(const IpAddress& address, bool redirected) {
  refusal_ = policy_.refusal(address, redirected && was_public_);
  tried_ = false;  // of the next one
  was_public_ = was_public_ || policy_.is_public(address);
  return refusal_.empty();
}

}  // namespace fetchline
