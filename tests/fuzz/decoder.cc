// Content codings: any bytes, in any pieces, end, break or want more, and the pieces change
// nothing. The input: the coding, how it is cut, then the coded body.
#include "worker/decoder.h"

#include <optional>

#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

constexpr std::size_t kEnough = std::size_t{1} << 18;  // of what a bomb makes

struct Decoded {
  std::string text;
  bool broken = false;
  bool ended = false;
  bool enough = false;
};

Decoded decoded(Coding coding, std::string_view coded, std::size_t first, std::size_t then) {
  Decoder decoder(coding);
  Decoded all;
  for (std::size_t length = first; !coded.empty(); length = then) {
    const std::string_view piece = coded.substr(0, length);
    coded.remove_prefix(piece.size());
    decoder.give(piece);
    while (true) {
      const auto next = decoder.next();
      all.broken = !next;
      if (!next || next->empty()) break;
      all.text += *next;
      all.enough = all.text.size() > kEnough;
      if (all.enough) return all;
    }
    if (all.broken) return all;
  }
  all.ended = decoder.ended();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  constexpr Coding kCodings[] = {Coding::gzip, Coding::deflate, Coding::brotli, Coding::zstd};
  const Coding coding = kCodings[input.below(4)];
  const std::size_t first = 1U + input.byte(), then = 1U + input.byte();
  const std::string_view coded = input.take_all();
  const Decoded whole = decoded(coding, coded, coded.size() + 1, 1);
  const Decoded pieces = decoded(coding, coded, first, then);
  check(!whole.broken || !whole.ended, "what is broken is not whole");
  if (whole.enough || pieces.enough) return 0;
  // libzstd takes a frame that is there in one piece without looking at its window.
  if (coding == Coding::zstd && (whole.broken || pieces.broken)) return 0;
  check(whole.broken == pieces.broken, "pieces do not break it");
  if (whole.broken) return 0;
  check(whole.text == pieces.text && whole.ended == pieces.ended, "pieces change nothing");
  return 0;
}

}  // namespace fetchline::fuzz
