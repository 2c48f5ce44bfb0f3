// What an origin sends, as libcurl passes it: within the caps whatever it is. The input: settings,
// then header lines and pieces of body, each with what it is and its length before it.
#include "worker/response.h"

#include "tests/fuzz/bytes.h"

namespace fetchline::fuzz {
namespace {

void check_caps(Response& response, std::uint64_t max_body_bytes) {
  (void)response.is_whole();
  const std::string block = response.take_header_block();
  // Each line has an end of its own, which the origin may have left out.
  check(block.size() <= kMaxHeaderBytes + 2 * kMaxHeaderLines + 2, "headers within their cap");
  check(block.empty() || block.ends_with("\r\n"), "header lines have an end");
  check(response.take_body().size() <= max_body_bytes, "a body within its cap");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  const std::uint64_t max_body_bytes = input.number(2);
  const bool decodes = input.flip();
  Response response;
  response.begin(max_body_bytes, decodes);
  while (!input.empty()) {
    const auto what = input.byte();
    bool goes_on = true;
    if (what % 4 == 3) {
      goes_on = response.take_body(input.text());
    } else if (what % 4 == 2) {
      response.expect_body(input.number(6));
    } else {
      // A line is one: libcurl cuts behind the LF. Many of the same make a flood.
      const std::string line = std::string(input.take(std::min<std::size_t>(what, 96))) + "\r\n";
      const int times = what % 16 == 1 ? 300 : 1;
      for (int i = 0; i < times && goes_on; ++i) goes_on = response.take_header_line(line);
    }
    check(goes_on == (response.stopped() == StopReason::none), "a stop has a reason");
    if (!goes_on) break;
  }
  check_caps(response, max_body_bytes);
  response.begin(0, false);
  check(response.stopped() == StopReason::none && !response.is_whole(), "it can be used again");
  return 0;
}

}  // namespace fetchline::fuzz
