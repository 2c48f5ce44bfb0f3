// Some bytes of text looked at together: which is the first of them that is special. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace fetchline {

#ifdef __SSE2__

class TextBlock {
 public:
  static constexpr std::size_t kBytes = 16;
  using Mask = __m128i;  // a byte that is found has all its bits set

  explicit TextBlock(const char* bytes)
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))) {}

  [[nodiscard]] Mask equal(char c) const { return _mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c)); }
  [[nodiscard]] Mask controls() const {  // below 0x20
    const __m128i most = _mm_set1_epi8(0x1F);
    return _mm_cmpeq_epi8(_mm_max_epu8(bytes_, most), most);
  }
  [[nodiscard]] Mask above_ascii() const { return _mm_cmplt_epi8(bytes_, _mm_setzero_si128()); }

  // kBytes when there is none.
  [[nodiscard]] static std::size_t first(Mask found) {
    constexpr unsigned kEnd = 1U << kBytes;
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(found));
    return static_cast<std::size_t>(std::countr_zero(bits | kEnd));
  }

 private:
  __m128i bytes_;
};

#else

class TextBlock {
 public:
  static_assert(std::endian::native == std::endian::little);
  static constexpr std::size_t kBytes = 8;
  using Mask = std::uint64_t;  // the lowest bit 7 that is set is of the first byte that is found

  explicit TextBlock(const char* bytes) { std::memcpy(&bytes_, bytes, sizeof bytes_); }

  [[nodiscard]] Mask equal(char c) const {
    return below(bytes_ ^ everywhere(static_cast<unsigned char>(c)), 1);
  }
  [[nodiscard]] Mask controls() const { return below(bytes_, 0x20); }
  [[nodiscard]] Mask above_ascii() const { return bytes_ & everywhere(0x80); }

  [[nodiscard]] static std::size_t first(Mask found) {
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }

 private:
  static constexpr Mask everywhere(std::uint8_t byte) { return 0x0101010101010101U * byte; }
  static constexpr Mask below(Mask bytes, std::uint8_t limit) {
    return (bytes - everywhere(limit)) & ~bytes & everywhere(0x80);
  }

  std::uint64_t bytes_ = 0;
};

#endif

}  // namespace fetchline
