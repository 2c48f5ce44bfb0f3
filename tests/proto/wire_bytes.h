// Protobuf payloads written by hand, so that a test can say what no honest encoder would.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "proto/codec.h"
#include "tests/proto/frames.h"

namespace fetchline {

class WireBytes {
 public:
  WireBytes& number(std::uint32_t field, std::uint64_t value) {
    varint(std::uint64_t{field} << 3U);
    varint(value);
    return *this;
  }
  WireBytes& fixed(std::uint32_t field, std::uint64_t value) {
    varint(std::uint64_t{field} << 3U | 1U);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFFU);
    return *this;
  }
  WireBytes& text(std::uint32_t field, std::string_view value) {
    varint(std::uint64_t{field} << 3U | 2U);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  WireBytes& message(std::uint32_t field, const WireBytes& value) {
    return text(field, value.bytes());
  }
  WireBytes& packed(std::uint32_t field, std::initializer_list<std::uint64_t> values) {
    WireBytes inner;
    for (const std::uint64_t value : values) inner.varint(value);
    return message(field, inner);
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Frame 0 of a message of version 1 with an arbitrary payload.
inline zmq::message_t enveloped(MessageType type, std::string_view payload) {
  std::string bytes{'F', 'L', 1, static_cast<char>(type)};
  bytes.append(20, '\0');
  bytes += payload;
  return frame_of(bytes);
}

inline Frames framed(MessageType type, const WireBytes& payload) {
  Frames frames;
  frames.push_back(enveloped(type, payload.bytes()));
  return frames;
}

}  // namespace fetchline
