// Appends fields (proto/fields.h) as protobuf does. Pure.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace fetchline {

class FieldWriter {
 public:
  explicit FieldWriter(std::string& to) : to_(to) {}

  // What is 0 or empty is left out, as proto3 has it.
  template <std::integral Number>
  void operator()(int field, Number number) {
    if (number != 0) varint(field, static_cast<std::uint64_t>(number));
  }
  void operator()(int field, std::optional<std::uint64_t> number) {
    if (number) varint(field, *number);
  }
  void operator()(int field, Outcome outcome) {
    (*this)(field, static_cast<std::uint64_t>(outcome));
  }
  template <class Rep, class Period>
  void operator()(int field, std::chrono::duration<Rep, Period> duration) {
    (*this)(field, static_cast<std::uint64_t>(duration.count()));
  }
  void fixed64(int field, std::uint64_t number) {
    if (number == 0) return;
    std::uint8_t* at = tag(buffer_.data(), field, Wire::WIRETYPE_FIXED64);
    append(Out::WriteLittleEndian64ToArray(number, at));
  }
  void operator()(int field, const std::string& text) {
    if (!text.empty()) bytes(field, text);
  }
  void operator()(int field, const std::optional<std::string>& text) {
    if (text) bytes(field, *text);
  }
  void operator()(int field, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) bytes(field, text);
  }
  void bytes(int field, std::string_view text) {
    std::uint8_t* at = tag(buffer_.data(), field, Wire::WIRETYPE_LENGTH_DELIMITED);
    at = Out::WriteVarint32ToArray(static_cast<std::uint32_t>(text.size()), at);
    append(at);
    to_.append(text);
  }

 private:
  using Out = google::protobuf::io::CodedOutputStream;
  using Wire = google::protobuf::internal::WireFormatLite;

  static std::uint8_t* tag(std::uint8_t* at, int field, Wire::WireType type) {
    return Out::WriteTagToArray(Wire::MakeTag(field, type), at);
  }
  void varint(int field, std::uint64_t number) {
    append(Out::WriteVarint64ToArray(number, tag(buffer_.data(), field, Wire::WIRETYPE_VARINT)));
  }
  void append(const std::uint8_t* end) {
    to_.append(reinterpret_cast<const char*>(buffer_.data()),
               static_cast<std::size_t>(end - buffer_.data()));
  }

  std::string& to_;
  std::array<std::uint8_t, 20> buffer_;  // a tag of at most 5 bytes, a number of at most 10
};

}  // namespace fetchline
