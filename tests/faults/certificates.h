// Certificates of a test's own, made while it runs: nothing expires in the repository.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace fetchline {

struct Identity {  // PEM
  std::string certificate;
  std::string key;
};

struct Claims {
  std::string names = "IP:127.0.0.1,DNS:localhost";  // subjectAltName, as OpenSSL writes it
  std::chrono::seconds begins = -std::chrono::hours(1);
  std::chrono::seconds ends = std::chrono::hours(1);
};

[[nodiscard]] Identity self_signed(const Claims& claims = {});

class Authority {
 public:
  Authority();
  ~Authority();
  [[nodiscard]] std::string certificate() const;  // PEM, for those who are to believe it
  [[nodiscard]] Identity issue(const Claims& claims = {}) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
};

}  // namespace fetchline
