// Origins that answer wrong, slowly, without end or not at all. Each test says what becomes of
// such a task; what holds for all of them (time, memory, free slots, clean connections) is checked
// by meet(). Where HTTP has an opinion its number stands there: RFC 9112 unless said otherwise.
#include <zlib.h>

#include <latch>
#include <memory>

#include "tests/faults/meeting.h"

namespace fetchline {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::string_literals;

const std::string kOk = "HTTP/1.1 200 OK\r\n";
constexpr const char* kSmuggled = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON";

// Says it and closes, as it should be.
Act says(std::string answer) {
  return [answer = std::move(answer)](Wire& wire) {
    wire.say(answer);
    wire.close();
  };
}

Act says_and_stays(std::string answer) {
  return [answer = std::move(answer)](Wire& wire) { wire.say(answer); };
}

Act says_and_hangs(std::string answer) {
  return [answer = std::move(answer)](Wire& wire) {
    wire.say(answer);
    wire.hang();
  };
}

Act repeats(std::string head, std::string piece) {
  return [head = std::move(head), piece = std::move(piece)](Wire& wire) {
    wire.say(head);
    while (wire.say(piece)) {
    }
  };
}

Act drips(std::string head, std::string piece, milliseconds between) {
  return [head = std::move(head), piece = std::move(piece), between](Wire& wire) {
    wire.say(head);
    while (wire.pause(between) && wire.say(piece)) {
    }
  };
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string coded(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  deflate(&stream, Z_FINISH);
  coded.resize(stream.total_out);
  deflateEnd(&stream);
  return coded;
}

std::string with_length(const std::string& body, const std::string& headers = "") {
  return kOk + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string redirect_to(const std::string& where) {
  return "HTTP/1.1 302 Found\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n";
}

// --- connections that break off ---

TEST(BrokenAnswer, IsResetWhenTheConnectionIsResetBeforeHeaders) {
  meet({.act = [](Wire& wire) { wire.reset(); }, .outcome = "reset"});
}

TEST(BrokenAnswer, IsResetWhenTheConnectionIsResetInMidBody) {
  const Act act = [](Wire& wire) {
    wire.say(kOk + "Content-Length: 100\r\n\r\nhalf");
    wire.pause(milliseconds(20));
    wire.reset();
  };
  meet({.act = act, .outcome = "reset"});
}

TEST(BrokenAnswer, IsResetWhenTheBodyIsShorterThanItsLength) {
  meet({.act = says(kOk + "Content-Length: 100\r\n\r\nhalf"), .outcome = "reset"});
}

TEST(BrokenAnswer, IsResetWhenHeadersBreakOff) {
  meet({.act = says(kOk + "Content-Length: 1"), .outcome = "reset"});
}

TEST(BrokenAnswer, IsResetWhenChunksEndBeforeTheLastOne) {
  meet({.act = says(kOk + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), .outcome = "reset"});
}

TEST(BrokenAnswer, IsResetWhenAChunkHasNoSensibleSize) {
  for (const char* size : {"FFFFFFFFFFFFFFFFFF", "-5", "x"}) {
    meet({.act = says(kOk + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\nhalf\r\n"),
          .outcome = "reset"});
  }
}

// --- lengths that lie ---

// 6.3: the body is as long as its length says. What follows is no part of it, and the connection
// is not used again: it would be the answer to the next request.
TEST(LyingLength, IsOkWhenTheBodyIsLongerAndItsRestIsDropped) {
  const json record = meet(
      {.act = says_and_stays(kOk + "Content-Length: 4\r\n\r\nbody" + kSmuggled), .outcome = "ok"});
  EXPECT_EQ(record.value("body", ""), "body");
}

// As before, but the rest comes while nobody uses the connection. All begin at the same time: one
// that came later could be given a connection whose rest is still to come, and be fooled by it.
TEST(LyingLength, IsOkWhenTheRestComesLater) {
  const auto begun = std::make_shared<std::latch>(Meeting::kAtOnce);
  const Act act = [begun](Wire& wire) {
    begun->count_down();
    while (!begun->try_wait() && wire.pause(milliseconds(1))) {
    }
    wire.say(with_length("body"));
    wire.pause(milliseconds(50));
    wire.say(kSmuggled);
  };
  meet({.act = act, .outcome = "ok"});
}

// 6.3: an unrecoverable error; which bytes are the answer nobody can say.
TEST(LyingLength, IsResetWhenTwoDiffer) {
  meet({.act = says(kOk + "Content-Length: 10\r\nContent-Length: 4\r\n\r\nbody"),
        .outcome = "reset"});
  meet({.act = says(kOk + "Content-Length: 4, 10\r\n\r\nbody"), .outcome = "reset"});
}

TEST(LyingLength, AllocatesNothing) {
  meet({.act = says_and_hangs(kOk + "Content-Length: 999999\r\n\r\nbody"), .outcome = "timeout"});
  meet({.act = says_and_hangs(kOk + "Content-Length: 900000000000\r\n\r\nbody"),
        .outcome = "too_large"});
}

// RFC 9110, 15.3.5: a 204 has no body.
TEST(LyingLength, IsNoBodyOfA204) {
  const json record = meet(
      {.act = says_and_stays("HTTP/1.1 204 None\r\nContent-Length: 4\r\n\r\nbody"s + kSmuggled),
       .outcome = "ok"});
  EXPECT_EQ(record.value("body", ""), "");
}

// --- bodies without end, bombs ---

TEST(EndlessBody, IsTooLargeInChunks) {
  meet({.act = repeats(kOk + "Transfer-Encoding: chunked\r\n\r\n",
                       "4000\r\n" + std::string(0x4000, 'x') + "\r\n"),
        .outcome = "too_large"});
}

TEST(EndlessBody, IsTooLargeWhenOnlyTheConnectionsEndWouldEndIt) {
  meet({.act = repeats(kOk + "\r\n", std::string(0x4000, 'x')), .outcome = "too_large"});
}

TEST(EndlessBody, IsTooLargeBehindARedirect) {
  meet({.act = repeats("HTTP/1.1 302 Found\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\n",
                       "4000\r\n" + std::string(0x4000, 'x') + "\r\n"),
        .outcome = "too_large"});
}

TEST(EndlessBody, IsTooLargeWhenItIsAGzipBomb) {
  const std::string bomb = gzip(std::string(std::size_t{100} << 20, '\0'));
  ASSERT_LT(bomb.size(), std::size_t{110} << 10) << "1000:1";
  meet({.act = says(with_length(bomb, "Content-Encoding: gzip\r\n")), .outcome = "too_large"});
}

// Far below --max-filesize: it is stopped by what it is.
TEST(EndlessBody, IsTooLargeWhenMuchComesFromLittle) {
  const std::string bomb = gzip(std::string(std::size_t{95} << 20, '\0'));
  const json record = meet({.act = says(with_length(bomb, "Content-Encoding: gzip\r\n")),
                            .outcome = "too_large",
                            .flags = {"--max-filesize", "100M"}});
  EXPECT_EQ(record.value("errormsg", ""),
            "The body decodes to more than 1 MiB and more than 100 times its size");
}

TEST(EndlessBody, TimesOutWhenItDecodesToNothing) {
  const std::string nothing = gzip("");
  std::string many;
  while (many.size() < 10'000) many += nothing;
  meet({.act = repeats(kOk + "Content-Encoding: gzip\r\n\r\n", many), .outcome = "timeout"});
}

// --- codings ---

// Half a body is none, whatever its length says: by the end of the connection, a length of what
// there is, or chunks.
TEST(Coding, IsResetWhenGzipBreaksOff) {
  const std::string whole = gzip(std::string(1000, 'x'));
  const std::string half = whole.substr(0, whole.size() - 5);
  const std::string coded = "Content-Encoding: gzip\r\n";
  meet({.act = says(kOk + coded + "\r\n" + half), .outcome = "reset"});
  meet({.act = says_and_stays(with_length(half, coded)), .outcome = "reset"});
  meet({.act = says_and_stays(kOk + coded + "Transfer-Encoding: chunked\r\n\r\n" +
                              std::string(1, "0123456789abcdef"[half.size() / 16 % 16]) +
                              std::string(1, "0123456789abcdef"[half.size() % 16]) + "\r\n" + half +
                              "\r\n0\r\n\r\n"),
        .outcome = "reset"});
}

TEST(Coding, IsOkWhenGzipIsWholeThoughNothingTellsItsLength) {
  const json record =
      meet({.act = says(kOk + "Content-Encoding: gzip\r\n\r\n" + gzip("text")), .outcome = "ok"});
  EXPECT_EQ(record.value("body", ""), "text");
}

TEST(Coding, IsUnsupportedWhenNobodyKnowsIt) {
  meet({.act = says_and_stays(with_length("body", "Content-Encoding: martian\r\n")),
        .outcome = "unsupported_encoding"});
}

// 7.4: a transfer coding besides chunked has to be asked for.
TEST(Coding, IsUnsupportedBelowTheChunks) {
  for (const char* coding : {"gzip, chunked", "martian"}) {
    meet({.act = says(kOk + "Transfer-Encoding: " + coding + "\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
          .outcome = "unsupported_encoding"});
  }
}

// --- headers ---

TEST(Header, IsResetByAFloodOfThem) {
  const Act act = [](Wire& wire) {
    std::string lines;
    for (int i = 0; i < 1000; ++i) lines += "X-Flood: " + std::string(1000, 'a') + "\r\n";
    wire.say(kOk);
    for (int i = 0; i < 20 && wire.say(lines); ++i) {  // 20 MB
    }
    wire.close();
  };
  meet({.act = act, .outcome = "reset"});
}

TEST(Header, IsResetByALineWithoutEnd) {
  const json record =
      meet({.act = repeats(kOk + "X-Huge: ", std::string(0x4000, 'a')), .outcome = "reset"});
  EXPECT_EQ(record.value("errormsg", ""), "More than 64 KiB of headers in one response");
}

TEST(Header, IsResetByInterimAnswersWithoutEnd) {
  for (const char* status : {"100 Continue", "103 Early Hints"}) {
    meet(
        {.act = repeats("", "HTTP/1.1 "s + status + "\r\nLink: </a>\r\n\r\n"), .outcome = "reset"});
  }
}

TEST(Header, IsResetByANulInIt) {
  meet({.act = says_and_stays("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 4\r\n\r\nbody"s),
        .outcome = "reset"});
}

// --- time ---

TEST(SlowOrigin, TimesOutWhenItDrips) {
  meet({.act = drips(kOk + "Content-Length: 1000\r\n\r\n", "x", milliseconds(500)),
        .outcome = "timeout"});
}

TEST(SlowOrigin, TimesOutWhenItsHeadersDrip) {
  meet({.act = drips(kOk, "X: y\r\n", milliseconds(100)), .outcome = "timeout"});
}

TEST(SlowOrigin, TimesOutBelowTheSpeedLimit) {
  meet({.act = drips(kOk + "Content-Length: 1000\r\n\r\n", "x", milliseconds(100)),
        .outcome = "timeout",
        .flags = {"-m", "20", "--speed-limit", "100", "--speed-time", "1"},
        .limit = seconds(3)});
}

TEST(SlowOrigin, TimesOutWhenItSaysNothing) {
  meet({.act = [](Wire& wire) { wire.hang(); }, .outcome = "timeout"});
}

TEST(SlowOrigin, TimesOutInMidBody) {
  meet({.act = says_and_hangs(kOk + "Content-Length: 100\r\n\r\nhalf"), .outcome = "timeout"});
}

TEST(SlowOrigin, TimesOutWhenNobodyAccepts) {
  const SilentPort port;
  meet({.act = {},
        .outcome = "timeout",
        .url = "http://127.0.0.1:" + std::to_string(port.port()) + "/"});
}

// --- redirects ---

TEST(Redirect, IsTooManyInALoop) {
  meet({.act = says_and_stays(redirect_to("/bad")), .outcome = "too_many_redirects"});
}

TEST(Redirect, IsBlockedToAnotherScheme) {
  for (const char* where : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x",
                            "dict://127.0.0.1/", "scp://127.0.0.1/x"}) {
    const json record = meet({.act = says_and_stays(redirect_to(where)), .outcome = "blocked"});
    EXPECT_EQ(record.value("response_code", 0), 302);
  }
}

// A cookie is for nobody: not for the next hop, nor for the next task.
TEST(Redirect, BringsNoCookies) {
  const Origin other;
  const json record =
      meet({.act = says_and_stays("HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Domain=127.0.0.1\r\n"
                                  "Location: " +
                                  other.url("/?echo=1") + "\r\nContent-Length: 0\r\n\r\n"),
            .outcome = "ok"});
  EXPECT_TRUE(record.value("body", "").starts_with("GET ")) << record;
  EXPECT_EQ(record.value("body", "").find("Cookie"), std::string::npos) << record;
}

TEST(Redirect, NamesAHostThatDoesNotExist) {
  if (run(fetchline_path(), {"http://no-such-host.invalid/", "--retry", "0", "-m", "1"})
          .out.find("dns_error") == std::string::npos) {
    GTEST_SKIP() << "no resolver answers here";
  }
  meet(
      {.act = says_and_stays(redirect_to("http://no-such-host.invalid/")), .outcome = "dns_error"});
}

TEST(Redirect, IsTheOriginsErrorToRubbish) {
  meet({.act = says_and_stays(redirect_to("http://[::1")), .outcome = "http_error"});
}

// --- no HTTP at all ---

TEST(NoHttp, IsResetByHttp09) { meet({.act = says("<html>hello</html>\n"), .outcome = "reset"}); }

TEST(NoHttp, IsResetByGarbage) {
  std::string garbage;
  for (unsigned i = 1; i < 100'000; ++i) garbage += static_cast<char>((i * 2654435761U) >> 24);
  meet({.act = says(garbage), .outcome = "reset"});
}

TEST(NoHttp, IsResetByAVersionThatThereIsNot) {
  meet({.act = says("HTTP/7.3 200 OK\r\nContent-Length: 0\r\n\r\n"), .outcome = "reset"});
}

}  // namespace
}  // namespace fetchline
