// An origin that says what it is told to, byte by byte: for answers that no server should give.
// A request for "/bad" is answered by the test's act, any other as it should be.
//
// One thread a connection, blocking calls. Binds 127.0.0.1; everything public may be called from
// any thread; acts run on the connections' threads, several at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/faults/certificates.h"

namespace fetchline {

// A connection in the hands of an act. When the act returns and has not ended the connection, the
// next request on it is read.
class Wire {
 public:
  virtual ~Wire() = default;

  // False: the peer has gone.
  virtual bool say(std::string_view bytes) = 0;
  virtual bool pause(std::chrono::milliseconds time) = 0;

  void hang();               // until the peer has gone
  virtual void close() = 0;  // as it should be, with a word of goodbye if it is TLS
  virtual void cut() = 0;    // without that
  virtual void reset() = 0;
};
using Act = std::function<void(Wire&)>;

class HostileOrigin {
 public:
  // Good requests are answered once `together` of them wait: proof that so many run at once.
  HostileOrigin(Act act, std::size_t together, std::optional<Identity> identity = std::nullopt);
  ~HostileOrigin();  // closes every connection
  HostileOrigin(const HostileOrigin&) = delete;
  HostileOrigin& operator=(const HostileOrigin&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url(std::string_view target) const;
  [[nodiscard]] std::size_t connections() const;  // so far
  [[nodiscard]] std::size_t acts_under_way() const;
  [[nodiscard]] static std::string good_body(std::string_view target);

 private:
  class Stage;
  std::unique_ptr<Stage> stage_;
};

// A port whose connections nobody ever takes: the kernel greets, and that is all.
class SilentPort {
 public:
  SilentPort();
  ~SilentPort();
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  [[nodiscard]] std::uint16_t port() const;

 private:
  int fd_;
};

}  // namespace fetchline
