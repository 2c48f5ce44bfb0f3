// Reads fields (proto/fields.h) as protobuf does: in any order, the last of several counts, unknown
// ones are passed over. Pure; takes any bytes.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace fetchline {

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes)
      : in_(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {
    next();
  }

  // `pass` offers every known field once, in ascending order: it takes those that come in that
  // order, which is all of them unless a stranger wrote it. False: these bytes are none of
  // protobuf's.
  template <class Pass>
  [[nodiscard]] bool read(Pass pass) {
    while (tag_ != 0) {
      const std::uint32_t before = tag_;
      took_ = false;
      pass(*this);
      if (took_) continue;
      if (!Wire::SkipField(&in_, before)) return false;
      next();
    }
    return ok_ && in_.ConsumedEntireMessage();
  }
  // A number had no meaning here.
  [[nodiscard]] bool out_of_range() const { return out_of_range_; }

  template <std::integral Number>
  void operator()(int field, Number& number) {
    std::uint64_t raw = 0;
    while (comes(field, Wire::WIRETYPE_VARINT)) {
      take(in_.ReadVarint64(&raw));
      number = static_cast<Number>(raw);
    }
  }
  void operator()(int field, std::optional<std::uint64_t>& number) {
    while (comes(field, Wire::WIRETYPE_VARINT)) take(in_.ReadVarint64(&number.emplace()));
  }
  void operator()(int field, Outcome& outcome) {
    std::uint64_t raw = 0;
    while (comes(field, Wire::WIRETYPE_VARINT)) {
      take(in_.ReadVarint64(&raw));
      out_of_range_ = static_cast<std::uint32_t>(raw) >= kOutcomeCount;
      outcome = static_cast<Outcome>(raw);
    }
  }
  // Longer ones than 2^48 - 1 are as long as that.
  template <class Rep, class Period>
  void operator()(int field, std::chrono::duration<Rep, Period>& duration) {
    constexpr std::uint64_t kMost = 0xFFFF'FFFF'FFFFULL;
    std::uint64_t raw = 0;
    while (comes(field, Wire::WIRETYPE_VARINT)) {
      take(in_.ReadVarint64(&raw));
      duration = std::chrono::duration<Rep, Period>(static_cast<Rep>(std::min(raw, kMost)));
    }
  }
  void fixed64(int field, std::uint64_t& number) {
    while (comes(field, Wire::WIRETYPE_FIXED64)) take(in_.ReadLittleEndian64(&number));
  }
  void operator()(int field, std::string& text) {
    while (comes(field, Wire::WIRETYPE_LENGTH_DELIMITED)) take_text(text);
  }
  void operator()(int field, std::optional<std::string>& text) {
    while (comes(field, Wire::WIRETYPE_LENGTH_DELIMITED)) take_text(text.emplace());
  }
  void operator()(int field, std::vector<std::string>& texts) {
    while (comes(field, Wire::WIRETYPE_LENGTH_DELIMITED)) take_text(texts.emplace_back());
  }
  // A message within: `read` is called with the bytes of each.
  template <class Read>
  void nested(int field, Read read) {
    while (comes(field, Wire::WIRETYPE_LENGTH_DELIMITED)) {
      std::string_view bytes;
      const bool whole = there(bytes);
      if (whole) read(bytes);
      take(whole);
    }
  }

 private:
  using In = google::protobuf::io::CodedInputStream;
  using Wire = google::protobuf::internal::WireFormatLite;

  [[nodiscard]] bool comes(int field, Wire::WireType type) const {
    return tag_ == Wire::MakeTag(field, type);
  }
  void take(bool whole) {
    took_ = true;
    ok_ = ok_ && whole;
    if (whole) {
      next();
    } else {
      tag_ = 0;
    }
  }
  void next() { tag_ = in_.ReadTag(); }
  void take_text(std::string& text) {
    std::string_view bytes;
    const bool whole = there(bytes);
    text.assign(bytes);
    take(whole);
  }
  // The bytes that a length announces, if they are there.
  [[nodiscard]] bool there(std::string_view& bytes) {
    std::uint32_t length = 0;
    if (!in_.ReadVarint32(&length)) return false;
    const void* at = nullptr;
    int left = 0;
    if (length > 0 && !in_.GetDirectBufferPointer(&at, &left)) return false;
    if (length > static_cast<std::uint32_t>(left)) return false;
    bytes = {static_cast<const char*>(at), length};
    return in_.Skip(static_cast<int>(length));
  }

  In in_;
  std::uint32_t tag_ = 0;  // of the field that comes; 0: none
  bool took_ = false;      // something, in this pass
  bool ok_ = true;
  bool out_of_range_ = false;
};

}  // namespace fetchline
