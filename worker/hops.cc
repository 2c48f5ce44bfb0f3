#include "worker/hops.h"

#include <utility>

namespace fetchline {

void Hops::begin() {
  refusal_.clear();
  tried_ = was_public_ = false;
  last_.reset();
}

// Asked of few: most transfers go to one address only.
bool Hops::comes_from_public(bool redirected) {
  if (last_) was_public_ = was_public_ || policy_.is_public(*last_);
  last_.reset();
  return redirected && was_public_;
}

bool Hops::may_connect(const IpAddress& address, bool redirected) {
  std::string refusal = policy_.refusal(address, comes_from_public(redirected));
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
  refusal_ = policy_.refusal(address, comes_from_public(redirected));
  tried_ = false;  // of the next one
  last_ = address;
  return refusal_.empty();
}

}  // namespace fetchline
