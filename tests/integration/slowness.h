// Sanitizers make programs slow and large; tests that compare with a time or a size allow for it.
#pragma once

namespace fetchline {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
inline constexpr int kSlowness = kSanitized ? 4 : 1;

}  // namespace fetchline
