#include "tests/faults/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace fetchline {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;

void check(bool done) {
  if (!done) throw std::runtime_error("no certificate can be made");
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr);
  return key;
}

void extend(X509* certificate, int which, const std::string& value) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, which, value.c_str()));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Certificate new_certificate(EVP_PKEY* key, const std::string& name, const Claims& claims) {
  static long serial = 0;
  Certificate certificate(X509_new());
  check(certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(claims.begins.count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(claims.ends.count()));
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  if (!claims.names.empty()) extend(certificate.get(), NID_subject_alt_name, claims.names);
  return certificate;
}

void sign(X509* certificate, const X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  check(X509_sign(certificate, key, EVP_sha256()) > 0);
}

std::string text_of(const Memory& memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_X509(memory.get(), certificate) == 1);
  return text_of(memory);
}

std::string pem_of(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(memory);
}

}  // namespace

Identity self_signed(const Claims& claims) {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), "self-signed", claims);
  sign(certificate.get(), certificate.get(), key.get());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

struct Authority::Keys {
  Key key = new_key();
  Certificate certificate = new_certificate(key.get(), "test authority", {.names = ""});
};

Authority::Authority() : keys_(std::make_unique<Keys>()) {
  extend(keys_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  sign(keys_->certificate.get(), keys_->certificate.get(), keys_->key.get());
}

Authority::~Authority() = default;

std::string Authority::certificate() const { return pem_of(keys_->certificate.get()); }

Identity Authority::issue(const Claims& claims) const {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get(), "origin", claims);
  sign(certificate.get(), keys_->certificate.get(), keys_->key.get());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

}  // namespace fetchline
