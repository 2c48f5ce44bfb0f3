#include "proto/codec.h"

namespace fetchline {

std::string_view to_string(DecodeError error) {
  switch (error) {
    case DecodeError::no_frame:
      return "no frame";
    case DecodeError::too_many_frames:
      return "too many frames";
    case DecodeError::short_envelope:
      return "envelope is cut short";
    case DecodeError::bad_magic:
      return "not a fetchline message";
    case DecodeError::bad_version:
      return "another protocol version";
    case DecodeError::unknown_type:
      return "unknown message type";
    case DecodeError::bad_payload:
      return "payload is damaged";
    case DecodeError::out_of_range:
      return "a value is out of range";
    case DecodeError::bad_body:
      return "body frames do not add up";
    case DecodeError::not_allowed:
      return "not the sender's to say";
  }
  return "unknown error";
}

}  // namespace fetchline
