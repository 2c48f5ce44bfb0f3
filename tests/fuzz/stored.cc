// Results as a log keeps them: decode_stored() of any bytes, and what it takes is stored the same.
#include "proto/codec.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fields.h"

namespace fetchline::fuzz {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = decode_stored(Bytes(data, size).take_all());
  if (!result) return 0;
  std::string stored;
  append_stored(stored, *result);
  const auto again = decode_stored(stored);
  check(again.has_value(), "what was read can be stored");
  check(same(*result, *again), "it says the same when it is read back");
  return 0;
}

}  // namespace fetchline::fuzz
