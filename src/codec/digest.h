// SHA-256 and SHA-512 of streams. libcrypto's two block functions are linked statically; nothing
// else of it is.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace minke {

enum class HashKind { sha256, sha512 };

class Hasher {
 public:
  explicit Hasher(HashKind kind = HashKind::sha256);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(std::string_view bytes);
  std::string hex();  // ends the stream; call it once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace minke
