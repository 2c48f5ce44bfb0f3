// A running SHA-256. A value owned by one thread.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace fetchline {

// Throws std::runtime_error when OpenSSL refuses to hash at all.
class Sha256 {
 public:
  Sha256();

  void update(std::string_view bytes);
  [[nodiscard]] std::string hex() const;  // of everything so far, 64 digits; more may follow

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  static Context new_context();

  Context context_;
};

}  // namespace fetchline
