// Undoes the content coding of a body while it arrives, and knows whether the body came to its
// end. The decoders of libcurl keep that to themselves: to them a gzip body that breaks off is a
// success. Nor do they bound what a zstd frame may ask for, 128 MiB by default.
//
// Owned by a Response, one for each body that has a coding. Pure; throws nothing but bad_alloc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace fetchline {

enum class Coding : std::uint8_t { identity, gzip, deflate, brotli, zstd, unknown };

[[nodiscard]] Coding coding_of(std::string_view name);  // as in Content-Encoding
inline constexpr const char* kAcceptedCodings = "deflate, gzip, br, zstd";

class Decoder {
 public:
  explicit Decoder(Coding coding);  // not identity, not unknown
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // The next piece, valid until next() has returned an empty one.
  void give(std::string_view coded) { rest_ = coded; }
  // The next decoded bytes, valid until the next call; none when all that was given is used up.
  // Empty: this is not what the coding says.
  [[nodiscard]] std::optional<std::string_view> next();

  // What was given so far is a whole body, with its checksum where the coding has one.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  struct Codec;

  std::unique_ptr<Codec> codec_;
  std::string_view rest_;
  bool ended_ = false;
  bool padded_ = false;  // what still comes is no part of the body, whatever it looks like
  std::array<char, 16 * 1024> decoded_;
};

}  // namespace fetchline
