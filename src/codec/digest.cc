#include "codec/digest.h"

// The low-level functions are deprecated in favour of EVP, which would pull the whole provider
// machinery into a static program for two block functions.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <variant>

#include "base/str.h"

namespace minke {

struct Hasher::State {
  std::variant<SHA256_CTX, SHA512_CTX> context;
};

Hasher::Hasher(HashKind kind) : state_(std::make_unique<State>()) {
  if (kind == HashKind::sha256) {
    SHA256_Init(&state_->context.emplace<SHA256_CTX>());
  } else {
    SHA512_Init(&state_->context.emplace<SHA512_CTX>());
  }
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
  if (auto* short_hash = std::get_if<SHA256_CTX>(&state_->context))
    SHA256_Update(short_hash, bytes.data(), bytes.size());
  else
    SHA512_Update(&std::get<SHA512_CTX>(state_->context), bytes.data(), bytes.size());
}

std::string Hasher::hex() {
  unsigned char out[SHA512_DIGEST_LENGTH];
  std::size_t size = SHA256_DIGEST_LENGTH;
  if (auto* short_hash = std::get_if<SHA256_CTX>(&state_->context)) {
    SHA256_Final(out, short_hash);
  } else {
    SHA512_Final(out, &std::get<SHA512_CTX>(state_->context));
    size = SHA512_DIGEST_LENGTH;
  }
  return minke::hex({reinterpret_cast<const char*>(out), size});
}

std::string sha256_hex(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.hex();
}

}  // namespace minke
