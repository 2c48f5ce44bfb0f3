// A scripted HTTP/1.1 origin for tests and demonstrations. What it answers is written in the URL:
//
//   http://127.0.0.1:PORT/any/path?size=1000&delay=50
//
// "Target" below means path and query together. Query parameters, freely combined:
//   delay=MS        answer after so long
//   size=BYTES      body of that length: the target and '#', repeated. Default body: the target
//   body=TEXT       that body, percent-encoded; repeated when there is a size
//   status=N        default 200
//   type=T          Content-Type, default text/plain
//   location=URL    a redirect there (status 302 unless given), percent-encoded
//   loop=1          a redirect to itself
//   retry_after=V   a Retry-After header
//   binary=1        a body of bytes that are not UTF-8 (256 of them unless size says otherwise)
//   gzip=BYTES      a gzip body that expands to so many bytes of the usual body
//   encoding=NAME   claims that Content-Encoding
//   chunked=1       chunked, in pieces of at most 16 KiB, with a trailer
//   cut=1           promises twice the body, sends it once, closes
//   reset=1         the same with a TCP reset
//   drop=1          closes without an answer
//   hang=1          never answers
//   drip=MS         the body byte by byte, one each so often
//   headers=N       N extra headers, each with a value of header_size=BYTES (default 10)
//   interim=N       N times "103 Early Hints" before the answer
//   close=1         Connection: close
//   lines=N         body: N lines, URLs of this origin below this path, each with the query
//   then=QUERY      of each of those lines, instead of the query; percent-encoded
//   echo=1          body: request line, headers and request body as they came
//   fail=N          503 for the first N requests of this target
//
// A HEAD is answered without body, `Expect: 100-continue` as it asks for. What does not begin like
// HTTP, a TLS handshake say, gets a 400 and is closed. Keep-alive otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fetchline {

// Owns a thread; binds on construction and throws std::system_error when it cannot.
// Everything public may be called from any thread.
class Origin {
 public:
  // Port 0: the system chooses. The address is one of 127.0.0.0/8.
  explicit Origin(std::uint16_t port = 0, std::string address = "127.0.0.1");
  ~Origin();  // closes every connection
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url(std::string_view target) const;  // target starts with '/'

  [[nodiscard]] std::size_t requests() const;
  [[nodiscard]] std::size_t requests(std::string_view target) const;
  [[nodiscard]] std::size_t connections() const;       // accepted so far
  [[nodiscard]] std::size_t open_connections() const;  // now
  [[nodiscard]] std::size_t max_simultaneous() const;  // requests being answered at once

 private:
  class Loop;
  std::string address_;
  std::unique_ptr<Loop> loop_;
};

// Each byte of it, for the values of a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace fetchline
