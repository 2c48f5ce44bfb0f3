#include "collector/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace fetchline {
namespace {

void must(int done) {
  if (done != 1) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < count; ++i) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha256::Context Sha256::new_context() {
  Context context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  return context;
}

Sha256::Sha256() : context_(new_context()) {
  must(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::string_view bytes) {
  must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex() const {
  // Finishing a context ends it, so a copy is finished.
  const auto copy = new_context();
  must(EVP_MD_CTX_copy_ex(copy.get(), context_.get()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  must(EVP_DigestFinal_ex(copy.get(), digest.data(), &bytes));
  return to_hex(digest.data(), bytes);
}

}  // namespace fetchline
